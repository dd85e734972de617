package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.InvalidDataAccessResourceUsageException;

/**
 * The outbox or the inbox is not where the service looks for it. The message says which table is missing, in which
 * schema of which database, and how to install it.
 */
public final class MissingTableException extends InvalidDataAccessResourceUsageException {

    /**
     * PostgreSQL's undefined table and invalid schema, and the state of MariaDB's and MySQL's ER_NO_SUCH_TABLE:
     * https://www.postgresql.org/docs/current/errcodes-appendix.html
     */
    private static final Set<String> STATES = Set.of("42P01", "3F000", "42S02");

    /** No such database: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
    private static final int NO_SUCH_DATABASE = 1049;

    /** Drivers also take {@code //user:password@host} and {@code //(host=...,password=...)}. */
    private static final Pattern PLAIN = Pattern.compile("jdbc:[\\w:+-]+//[\\w.:,%\\[\\]-]*(/[\\w.$%-]*)?");

    private MissingTableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Whether a statement failed because this table or its schema is missing, and not one that a trigger needs. */
    static boolean isMeantBy(SQLException failure, String table, String schema) {
        if (failure.getErrorCode() == NO_SUCH_DATABASE) {
            return names(failure, schema);
        }
        String state = failure.getSQLState();
        return state != null && STATES.contains(state) && names(failure, table);
    }

    /** As a whole word, and not as the schema of another table. */
    private static boolean names(SQLException failure, String word) {
        return Pattern.compile("(?<![\\w$])" + Pattern.quote(word) + "(?![\\w$.])")
                .matcher(String.valueOf(failure.getMessage()))
                .find();
    }

    /** Describes the fault in the words of the relay. */
    static MissingTableException of(String table, String schema, Connection connection, @Nullable SQLException cause)
            throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        Optional<String> plain = plainAddress(String.valueOf(metadata.getURL()));
        // Not the database's name: where the statement has failed, a driver may be unable to ask for it.
        String address = plain.orElse("the " + metadata.getDatabaseProductName() + " database");
        String call = schema.equals("public")
                ? "OutboxSchema.install(dataSource)"
                : "OutboxSchema.defaults().withSchema(\"" + schema + "\").installOn(dataSource)";
        return new MissingTableException(
                "there is no " + table + " in the schema '" + schema + "' of " + address
                        + "; install it in one of three ways: set outbox.schema.install=true (Spring Boot starter), or"
                        + " call "
                        + call + ", or run: java -jar outbox-relay.jar migrate --url " + plain.orElse("URL")
                        + " --schema "
                        + schema + " --user OWNER --password-file FILE. If it is in another schema, set"
                        + " outbox.schema.name, or name that schema where you create the outbox and the inbox",
                cause);
    }

    /** The address without its parameters, or nothing if it has a form in which a password can stand elsewhere. */
    static Optional<String> plainAddress(String url) {
        String address = url.split("[?;]", 2)[0];
        return url.indexOf('@') < 0 && PLAIN.matcher(address).matches() ? Optional.of(address) : Optional.empty();
    }
}
