package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.ServiceEvent;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** What an effect knows of those before it. */
@Tag("server")
final class ChaosEffectsTest {

    private TestDatabase database;
    private ChaosEffects effects;

    @BeforeEach
    void create() {
        try {
            database = Servers.postgres().newDatabase();
        } catch (IllegalStateException e) {
            abort("no database: " + e.getMessage()); // the embedded one is not among this module's dependencies
        }
        effects = new ChaosEffects(database.dataSource());
        effects.install(database.dataSource());
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void an_effect_knows_the_committed_and_its_own_before_it_and_no_uncommitted_one() throws SQLException {
        effects.add("orders", event(1), "a");
        effects.add("payments", event(9), "a");
        try (Connection connection = database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            ChaosEffects slow = new ChaosEffects(new SingleConnectionDataSource(connection, true));
            slow.add("orders", event(2), "slow");
            slow.add("orders", event(3), "slow");
            effects.add("orders", event(4), "quick");
            connection.commit();
        }

        assertThat(effects.of("orders")).extracting(ChaosEffect::before).containsExactly(0L, 1L, 2L, 1L);
        assertThat(effects.of("orders"))
                .extracting(ChaosEffect::instance)
                .containsExactly("a", "slow", "slow", "quick");
        assertThat(effects.progress()).isEqualTo(new ChaosEffects.Progress(5, 0));
        assertThat(effects.instances()).isZero();
    }

    private static ServiceEvent event(long sequence) {
        return new ServiceEvent(UUID.randomUUID(), 7, sequence);
    }
}
