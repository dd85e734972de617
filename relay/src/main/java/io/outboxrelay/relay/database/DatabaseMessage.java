package io.outboxrelay.relay.database;

import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A database's error in one line for logs, health and people: its message, PostgreSQL's DETAIL and HINT, and the
 * SQLSTATE, which identifies the error in every language.
 *
 * <p>Values of rows are left out. When a constraint is violated or a value does not fit, DETAIL quotes the whole row
 * with its payload. So it is shown only for errors about statements, rights, locks and the server. CONTEXT, which may
 * quote rows and parameters, is never shown. The relay's connections also keep DETAIL out of the exceptions themselves
 * ({@code logServerErrorDetail=false}), so that no stack trace has it.
 */
public final class DatabaseMessage {

    /** Classes of SQLSTATEs whose DETAIL quotes no values (PostgreSQL's documentation, appendix A). */
    private static final Set<String> QUOTING_NO_ROWS =
            Set.of("08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58");

    /** MariaDB and MySQL have no DETAIL: they quote a value in the message itself. */
    private static final Pattern QUOTED_VALUE = Pattern.compile("(?i)\\b(entry|value:?) ('.*'(?= for )|'.*'$)");

    private DatabaseMessage() {}

    /**
     * Describes an exception by the database's error among its causes.
     *
     * @param failure any exception
     * @return one line; without an error of a database, the first line of the innermost cause's message
     */
    public static String of(Throwable failure) {
        Throwable innermost = failure;
        SQLException said = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            innermost = cause;
            said = cause instanceof SQLException sql ? sql : said;
        }
        return said == null ? firstLine(innermost) : of(said, innermost);
    }

    /**
     * Describes this exception alone, for a caller that walks through the chain of causes.
     *
     * @param one exception of a chain
     * @return one line; empty when it is not an error of a database
     */
    public static Optional<String> saidBy(Throwable one) {
        return one instanceof SQLException said ? Optional.of(of(said, said)) : Optional.empty();
    }

    private static String of(ServerErrorMessage server) {
        StringBuilder text = new StringBuilder(server.getSeverity() + ": " + server.getMessage());
        String state = String.valueOf(server.getSQLState());
        if (QUOTING_NO_ROWS.contains(state.substring(0, Math.min(2, state.length())))) {
            add(text, "Detail", server.getDetail());
        }
        add(text, "Hint", server.getHint());
        return oneLine(text + " (SQLSTATE " + state + ")");
    }

    private static void add(StringBuilder text, String what, @Nullable String words) {
        if (words != null) {
            text.append(". ").append(what).append(": ").append(words.replaceFirst("\\.$", ""));
        }
    }

    /** If the server could not be reached, the innermost cause names the network's error. */
    private static String of(SQLException said, Throwable innermost) {
        ServerErrorMessage server = said instanceof PSQLException answer ? answer.getServerErrorMessage() : null;
        if (server != null) {
            return of(server);
        }
        String text = QUOTED_VALUE.matcher(firstLine(said)).replaceAll("$1 '…'");
        if (innermost != said && !text.contains(firstLine(innermost))) {
            text = text.replaceFirst("\\.$", "") + ": " + firstLine(innermost);
        }
        return said.getSQLState() == null ? text : text + " (SQLSTATE " + said.getSQLState() + ")";
    }

    private static String firstLine(Throwable cause) {
        String message = cause.getMessage();
        return message == null
                ? cause.getClass().getSimpleName()
                : message.lines().findFirst().orElse("");
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", " ");
    }
}
