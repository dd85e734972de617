package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
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

    private MissingTableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Whether a statement failed because this table is missing, and not one that a trigger needs. */
    static boolean isMeantBy(SQLException failure, String table) {
        String state = failure.getSQLState();
        return failure.getErrorCode() == NO_SUCH_DATABASE
                || state != null
                        && STATES.contains(state)
                        && String.valueOf(failure.getMessage()).contains(table);
    }

    /** Describes the fault in the words of the relay. */
    static MissingTableException of(String table, String schema, Connection connection, @Nullable SQLException cause)
            throws SQLException {
        String address = String.valueOf(connection.getMetaData().getURL()).replaceFirst("[?;].*", "");
        String call = schema.equals("public")
                ? "OutboxSchema.install(dataSource)"
                : "OutboxSchema.defaults().withSchema(\"" + schema + "\").installOn(dataSource)";
        return new MissingTableException(
                "there is no " + table + " in the schema '" + schema + "' of " + address
                        + "; install it in one of three ways: set outbox.schema.install=true (Spring Boot starter), or call "
                        + call + ", or run: java -jar outbox-relay.jar migrate --url " + address + " --schema "
                        + schema + " --user OWNER --password-file FILE. If it is in another schema, set"
                        + " outbox.schema.name, or name that schema where you create the outbox and the inbox",
                cause);
    }
}
