package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.ReceivedEvent;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Records events that did not arrive as the next ones of their aggregate. Events of one aggregate arrive in order, so
 * there are none, not even while the views are rebuilt from the history. The views do not need it: it is a proof.
 */
@Component
class Sequence {

    /** A refusal for an unknown customer has no aggregate, and so no number. */
    private static final int NO_AGGREGATE = 0;

    private final JdbcClient database;

    Sequence(JdbcClient database) {
        this.database = database;
    }

    void check(ReceivedEvent event, int version) {
        if (version == NO_AGGREGATE) {
            return;
        }
        int expected = expected(event, version);
        if (version != expected) {
            note(event, expected, version);
        }
    }

    /** One statement, so that one of two instances waits for the other, even if the row does not exist yet. */
    private int expected(ReceivedEvent event, int version) {
        return database.sql("""
                        INSERT INTO heard (aggregate_type, aggregate_id, version, expected)
                        VALUES (:aggregate_type, :aggregate_id, :version, 1)
                        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
                        SET version = greatest(heard.version, excluded.version), expected = heard.version + 1
                        RETURNING expected
                        """)
                .param("aggregate_type", event.aggregateType())
                .param("aggregate_id", event.aggregateId())
                .param("version", version)
                .query(Integer.class)
                .single();
    }

    private void note(ReceivedEvent event, int expected, int received) {
        database.sql("""
                        INSERT INTO out_of_order (event_id, aggregate_type, aggregate_id, version_expected,
                            version_received)
                        VALUES (:event_id, :aggregate_type, :aggregate_id, :expected, :received)
                        ON CONFLICT (event_id) DO NOTHING
                        """)
                .param("event_id", event.id())
                .param("aggregate_type", event.aggregateType())
                .param("aggregate_id", event.aggregateId())
                .param("expected", expected)
                .param("received", received)
                .update();
    }
}
