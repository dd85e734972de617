package io.outboxrelay.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.logging.Log;
import org.flywaydb.core.api.logging.LogFactory;

/**
 * Installs into MariaDB or MySQL. A schema is a database there; {@code public} stands for the one that the connection
 * is in. Nothing that creates a table can be rolled back, so every statement may be repeated.
 *
 * @param dialect which of the two
 */
record MariaDbVendor(SqlDialect dialect) implements Vendor {

    private static final Log LOG = LogFactory.getLog(OutboxSchema.class);
    private static final List<String> TABLES = List.of("outbox", "outbox_lane", "inbox", "outbox_failure");
    private static final int LOCK_SECONDS = 300;
    private static final Pattern COMMENT = Pattern.compile("(?m)^\\s*--.*$");
    /** Access denied to a database, a table, an operation; no right to grant, or to make users or roles. */
    private static final Set<Integer> REFUSED = Set.of(1044, 1142, 1227, 1396, 1410);
    /** MySQL's, of a role's name of more than 32 characters. */
    private static final int TOO_LONG = 1470;

    @Override
    public String location() {
        return "db/outbox/innodb";
    }

    /** The mode decides what a text, an operator and a missing engine are. */
    @Override
    public Pin pin() {
        return new Pin(
                "SELECT @@SESSION.sql_mode",
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION'",
                "SET SESSION sql_mode = ?");
    }

    /** Nobody creates anything in a database without a grant there. */
    @Override
    public void refuseForeignObjects(Connection connection, String schema) {}

    @Override
    public String resolve(String schema, Connection connection) throws SQLException {
        if (!schema.equals(OutboxSchema.DEFAULT_NAME)) {
            return schema;
        }
        // The server's spelling, which lower_case_table_names may have made another one than the URL's.
        String current = Query.text(connection, "SELECT database()");
        if (current == null || current.isEmpty()) {
            throw new OutboxSchemaException(
                    "The connection has no database: name one in its URL, or as the schema of the outbox");
        }
        return current;
    }

    @Override
    public void lock(Connection connection, String schema) throws SQLException {
        if (Query.number(connection, "SELECT get_lock(" + lockName(schema) + ", " + LOCK_SECONDS + ")") != 1) {
            throw new OutboxSchemaException("The outbox cannot be installed in the database " + schema
                    + ": another session has held the lock of its installation for " + LOCK_SECONDS + " s (connection "
                    + Query.text(connection, "SELECT is_used_lock(" + lockName(schema) + ")")
                    + "). End it if it installs nothing");
        }
    }

    @Override
    public void unlock(Connection connection, String schema) throws SQLException {
        Query.number(connection, "SELECT release_lock(" + lockName(schema) + ")");
    }

    /** Names of locks have at most 64 characters. */
    private static String lockName(String schema) {
        return "concat('outbox schema ', left(sha2(" + literal(schema) + ", 256), 40))";
    }

    @Override
    public OptionalInt version(Connection connection, String schema) throws SQLException {
        return has(connection, schema, "outbox_schema_version")
                ? OptionalInt.of(
                        Query.number(connection, "SELECT version FROM " + quoted(schema) + ".outbox_schema_version"))
                : OptionalInt.empty();
    }

    private static boolean has(Connection connection, String schema, String table) throws SQLException {
        return Query.number(
                        connection,
                        "SELECT count(*) FROM information_schema.tables WHERE table_schema = " + literal(schema)
                                + " AND table_name = " + literal(table))
                > 0;
    }

    @Override
    public OptionalInt lanes(Connection connection, String schema) throws SQLException {
        if (!has(connection, schema, "outbox_lane")) {
            return OptionalInt.empty();
        }
        int lanes = Query.number(connection, "SELECT count(*) FROM " + quoted(schema) + ".outbox_lane");
        return lanes == 0 ? OptionalInt.empty() : OptionalInt.of(lanes);
    }

    @Override
    public Map<String, String> placeholders(String schema, int lanes) {
        return Map.of(
                "role", schema.replace("`", "``"),
                "lanes", Integer.toString(lanes),
                "collation", dialect == SqlDialect.MARIADB ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin");
    }

    @Override
    public void migrate(FluentConfiguration flyway, Connection connection, String schema) throws SQLException {
        refuseForeignTables(connection, schema);
        // This transaction has read the version, and MySQL would let no other connection replace that view until it
        // ends.
        connection.rollback();
        Flyway migrations = flyway.load();
        // What failed in the middle is noted as failed, and may be repeated.
        migrations.repair();
        migrations.migrate();
        grant(connection, schema);
    }

    /** Flyway makes its history first: tables without one are not of an installation that was interrupted. */
    private static void refuseForeignTables(Connection connection, String schema) throws SQLException {
        if (has(connection, schema, OutboxSchema.HISTORY_TABLE) || has(connection, schema, "outbox_schema_version")) {
            return;
        }
        for (String table : TABLES) {
            if (has(connection, schema, table)) {
                throw new OutboxSchemaException("The outbox cannot be installed in the schema " + schema
                        + ": its table " + table + " already exists and does not belong to an outbox");
            }
        }
    }

    private void grant(Connection connection, String schema) throws SQLException {
        String before = connection.getCatalog();
        connection.setCatalog(schema);
        try (Statement statement = connection.createStatement()) {
            // Taken apart before the database's name, which may hold a semicolon, is put in.
            for (String one : COMMENT.matcher(OutboxSchema.resource(location() + "/roles.sql"))
                    .replaceAll("")
                    .split(";")) {
                if (!one.isBlank()) {
                    statement.execute(OutboxSchema.replace(one, placeholders(schema, 0)));
                }
            }
        } catch (SQLException e) {
            boolean tooLong = e.getErrorCode() == TOO_LONG;
            if (!tooLong && !REFUSED.contains(e.getErrorCode())) {
                throw e;
            }
            LOG.warn("The roles of the outbox in the database " + schema + " are not complete (" + e.getMessage()
                    + "). An administrator has to run the statements of " + location() + "/roles.sql there"
                    + (tooLong ? ", with shorter names." : "."));
        } finally {
            if (before != null && !before.isEmpty()) {
                connection.setCatalog(before);
            }
        }
    }

    private String roles(String schema) {
        return OutboxSchema.replace(OutboxSchema.resource(location() + "/roles.sql"), placeholders(schema, 0));
    }

    @Override
    public String script(String schema, String migrations) {
        if (schema.equals(OutboxSchema.DEFAULT_NAME)) {
            return migrations;
        }
        return "CREATE DATABASE IF NOT EXISTS " + quoted(schema) + ";\nUSE " + quoted(schema) + ";\n\n" + migrations
                + "\n" + roles(schema);
    }

    private static String quoted(String name) {
        return "`" + name.replace("`", "``") + "`";
    }

    private static String literal(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
