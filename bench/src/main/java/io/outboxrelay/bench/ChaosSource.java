package io.outboxrelay.bench;

import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.ServiceEvent;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * A service's database in a chaos run: its outbox, its aggregates, and its own record of every event that it committed.
 *
 * @param name of the source; the type of its aggregates too
 * @param database where it is
 */
record ChaosSource(String name, TestDatabase database) {

    static final int AGGREGATES = 300;

    /** Events that the relay has not finished: not yet published, or failed. */
    record Backlog(long outbox, long failures) {

        boolean isEmpty() {
            return outbox == 0 && failures == 0;
        }

        @Override
        public String toString() {
            return failures == 0
                    ? "%d in the outbox".formatted(outbox)
                    : "%d in the outbox, %d failed".formatted(outbox, failures);
        }
    }

    /** Creates the tables. */
    void install() throws SQLException {
        OutboxSchema.install(database.dataSource());
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE service_aggregate (id int PRIMARY KEY, sequence bigint NOT NULL)");
            statement.execute("CREATE TABLE service_event (event_id uuid PRIMARY KEY, aggregate int NOT NULL,"
                    + " sequence bigint NOT NULL)");
            statement.execute(
                    "INSERT INTO service_aggregate SELECT id, 0 FROM generate_series(1, " + AGGREGATES + ") AS id");
        }
    }

    Backlog backlog() throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM outbox_failure)")) {
            row.next();
            return new Backlog(row.getLong(1), row.getLong(2));
        }
    }

    /** The events that the service committed, by its own record. */
    Set<ServiceEvent> committed() throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT event_id, aggregate, sequence FROM service_event")) {
            Set<ServiceEvent> events = new HashSet<>();
            while (rows.next()) {
                events.add(new ServiceEvent(rows.getObject(1, UUID.class), rows.getInt(2), rows.getLong(3)));
            }
            return events;
        }
    }
}
