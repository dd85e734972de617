package io.outboxrelay.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.OptionalInt;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** Installs into PostgreSQL. */
record PostgresVendor() implements Vendor {

    @Override
    public String location() {
        return "db/outbox/postgresql";
    }

    @Override
    public String resolve(String schema, Connection connection) {
        return schema;
    }

    @Override
    public void lock(Connection connection, String schema) throws SQLException {
        Query.text(connection, "SELECT pg_advisory_xact_lock(hashtext('outbox schema " + schema + "'))::text");
    }

    /** The lock ends with its transaction. */
    @Override
    public void unlock(Connection connection, String schema) throws SQLException {
        connection.rollback();
    }

    @Override
    public OptionalInt version(Connection connection, String schema) throws SQLException {
        // Asked in two steps, so that a missing function is an answer and not an error that aborts the transaction.
        String function = schema + ".outbox_schema_version()";
        if (Query.text(connection, "SELECT to_regprocedure('" + function + "')::text") == null) {
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
