package io.outboxrelay.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The inbox as one would use it without the client: a statement for one event, and one for a batch. */
final class HandwrittenInbox {

    static final String NOTE =
            "INSERT INTO outbox_bench.inbox (consumer, event_id) VALUES (?, ?) ON CONFLICT DO NOTHING";

    static final String NOTE_ALL = """
            INSERT INTO outbox_bench.inbox (consumer, event_id)
            SELECT ?, event_id FROM unnest(?::uuid[]) AS event_id
            ON CONFLICT DO NOTHING RETURNING event_id
            """;

    private HandwrittenInbox() {}

    /** Notes the events by a statement made of {@link #NOTE_ALL}, and gives those that were not noted before. */
    static Set<UUID> noteAll(PreparedStatement statement, List<UUID> events) throws SQLException {
        Connection connection = statement.getConnection();
        statement.setString(1, ConsumerParts.CONSUMER);
        statement.setArray(2, connection.createArrayOf("uuid", events.toArray()));
        Set<UUID> added = new HashSet<>();
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                added.add(rows.getObject(1, UUID.class));
            }
        }
        return added;
    }
}
