package io.outboxrelay.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.OptionalInt;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * Installs into PostgreSQL.
 *
 * @param lockSeconds how long another installation is waited for
 */
record PostgresVendor(int lockSeconds) implements Vendor {

    private static final int DEFAULT_LOCK_SECONDS = 300;
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    PostgresVendor() {
        this(DEFAULT_LOCK_SECONDS);
    }

    /** What is read, called or written before a migration makes something, and would be a stranger's. */
    private static final String FOREIGN = """
            SELECT string_agg(format('%s of %s', name, pg_get_userbyid(owner)), ', ' ORDER BY name)
            FROM (
                SELECT relname AS name, relowner AS owner FROM pg_class
                WHERE relnamespace = to_regnamespace('SCHEMA')
                  AND relname IN ('outbox_schema_history', 'outbox', 'outbox_lane')
                UNION ALL
                SELECT proname || '()', proowner FROM pg_proc
                WHERE pronamespace = to_regnamespace('SCHEMA') AND proname = 'outbox_schema_version') AS ours
            WHERE pg_get_userbyid(owner) <> current_user
              AND NOT (SELECT rolsuper FROM pg_roles WHERE oid = owner)
              AND owner NOT IN (
                SELECT datdba FROM pg_database WHERE datname = current_database()
                UNION ALL
                SELECT nspowner FROM pg_namespace WHERE nspname = 'SCHEMA')
            """;

    private static final String HOLDER = """
            SELECT string_agg(format('pid %s, user %s, application "%s"', l.pid, a.usename, a.application_name), '; ')
            FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND ((l.classid::bigint << 32) | l.objid::bigint) = KEY
            """;

    @Override
    public String location() {
        return "db/outbox/postgresql";
    }

    /**
     * Without the schemas in which others may create objects, temporary ones last: the manual's advice in "Writing
     * SECURITY DEFINER Functions Safely".
     */
    @Override
    public Pin pin() {
        return new Pin(
                "SHOW search_path",
                "SET search_path = pg_catalog, pg_temp",
                "SELECT pg_catalog.set_config('search_path', ?, false)");
    }

    @Override
    public String resolve(String schema, Connection connection) {
        return schema;
    }

    /** Before there are tables there is no lock that needs rights: who holds this one for long is named. */
    @Override
    public void lock(Connection connection, String schema) throws SQLException {
        String key = "hashtext('outbox schema " + schema + "')";
        Query.text(connection, "SELECT set_config('lock_timeout', '" + lockSeconds + "s', true)");
        try {
            Query.text(connection, "SELECT pg_advisory_xact_lock(" + key + ")::text");
        } catch (SQLException e) {
            if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                throw e;
            }
            connection.rollback();
            throw new OutboxSchemaException(
                    "The outbox cannot be installed in the schema " + schema + ": another session has held the lock"
                            + " of its installation for " + lockSeconds + " s ("
                            + Query.text(connection, HOLDER.replace("KEY", key)) + "). End it if it installs nothing",
                    e);
        }
    }

    /** The lock ends with its transaction. */
    @Override
    public void unlock(Connection connection, String schema) throws SQLException {
        connection.rollback();
    }

    /**
     * Where everyone may create objects, as in {@code public} before PostgreSQL 15, a stranger's view, trigger or
     * function of one of our names would run with the rights of the user who installs.
     */
    @Override
    public void refuseForeignObjects(Connection connection, String schema) throws SQLException {
        String foreign = Query.text(connection, FOREIGN.replace("SCHEMA", schema));
        if (foreign != null) {
            throw new OutboxSchemaException("The outbox cannot be installed in the schema " + schema + ": there is "
                    + foreign + ", which belongs neither to the current user, nor to the owner of the database or the"
                    + " schema, nor to a superuser. Run the installation as that owner if the outbox is theirs,"
                    + " otherwise drop it");
        }
    }

    /** Every name is qualified, since the connection may be a service's. */
    @Override
    public OptionalInt version(Connection connection, String schema) throws SQLException {
        // Asked in two steps, so that a missing function is an answer and not an error that aborts the transaction.
        String function = schema + ".outbox_schema_version()";
        if (Query.text(connection, "SELECT pg_catalog.to_regprocedure('" + function + "')") == null) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(Query.number(connection, "SELECT " + function));
    }

    @Override
    public OptionalInt lanes(Connection connection, String schema) throws SQLException {
        return version(connection, schema).isPresent()
                ? OptionalInt.of(Query.number(connection, "SELECT count(*) FROM " + schema + ".outbox_lane"))
                : OptionalInt.empty();
    }

    @Override
    public Map<String, String> placeholders(String schema, int lanes) {
        return Map.of("schema", schema, "lanes", Integer.toString(lanes));
    }

    @Override
    public void migrate(FluentConfiguration flyway, Connection connection, String schema) {
        // Two connections would be needed for a lock that is held already.
        flyway.configuration(Map.of("flyway.postgresql.transactional.lock", "false"));
        flyway.load().migrate();
    }

    @Override
    public String script(String schema, String migrations) {
        return "BEGIN;\n\nCREATE SCHEMA IF NOT EXISTS " + schema + ";\n\n" + migrations + "\nCOMMIT;\n";
    }
}
