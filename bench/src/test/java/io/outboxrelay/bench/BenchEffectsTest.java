package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is counted when a consumer is done. */
@Tag("server")
final class BenchEffectsTest {

    private TestDatabase database;
    private BenchEffects effects;
    private Connection connection;

    @BeforeEach
    void create() throws SQLException {
        try {
            database = Servers.postgres().newDatabase();
        } catch (IllegalStateException e) {
            abort("no database: " + e.getMessage()); // the embedded one is not among this module's dependencies
        }
        effects = new BenchEffects(database.dataSource());
        connection = database.dataSource().getConnection();
    }

    @AfterEach
    void drop() throws SQLException {
        connection.close();
        effects.close();
        database.close();
    }

    @Test
    void every_event_once_and_in_order_is_complete() throws SQLException {
        handle("a", 1);
        handle("b", 1);
        handle("a", 2);

        BenchEffects.Counts counts = effects.counts();

        assertThat(counts).isEqualTo(new BenchEffects.Counts(3, 3, 0, 3));
        assertThat(counts.areComplete(3)).isTrue();
        assertThat(counts.areComplete(4)).isFalse();
        assertThat(effects.inserted()).isEqualTo(3);
    }

    @Test
    void an_effect_behind_that_of_a_later_event_is_out_of_order() throws SQLException {
        handle("a", 3);
        handle("a", 1);
        handle("b", 2);
        handle("a", 2);

        assertThat(effects.counts().outOfOrder()).isEqualTo(2);
    }

    @Test
    void an_event_with_two_effects_is_not_complete() throws SQLException {
        UUID event = handle("a", 1);
        add(event, "a", 1);

        BenchEffects.Counts counts = effects.counts();

        assertThat(counts).isEqualTo(new BenchEffects.Counts(2, 1, 0, 1));
        assertThat(counts.areComplete(1)).isFalse();
        assertThat(counts.areComplete(2)).isFalse();
    }

    @Test
    void an_effect_without_a_note_in_the_inbox_is_not_complete() throws SQLException {
        add(UUID.randomUUID(), "a", 1);

        assertThat(effects.counts().areComplete(1)).isFalse();
    }

    @Test
    void nothing_is_left_of_the_run_before() throws SQLException {
        handle("a", 1);

        effects.clear();

        assertThat(effects.counts()).isEqualTo(new BenchEffects.Counts(0, 0, 0, 0));
        assertThat(effects.inserted()).isZero();
    }

    private UUID handle(String aggregate, long number) throws SQLException {
        UUID event = UUID.randomUUID();
        execute("INSERT INTO outbox_bench.inbox (consumer, event_id) VALUES ('bench', '" + event + "')");
        add(event, aggregate, number);
        return event;
    }

    private void add(UUID event, String aggregate, long number) throws SQLException {
        execute("INSERT INTO outbox_bench.effect (event_id, aggregate_id, number) VALUES ('%s', '%s', %d)"
                .formatted(event, aggregate, number));
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
