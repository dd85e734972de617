package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.stories.RelayFile.Database;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.JdbcTemplate;

class RestoredOutboxIT {

    private static final int EVENTS = 2_000;

    // hazard 16
    @Test
    void events_written_before_a_dump_are_published_from_a_server_whose_transaction_ids_begin_anew(@TempDir Path folder)
            throws Exception {
        try (TestDatabase old = Servers.postgres().newDatabase();
                PrivateServer<Postgres> server = Servers.startPrivatePostgres();
                TestDatabase restored = server.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, old, host, "account", 100)) {
            stage.writers().write(4, EVENTS);
            long transactionsBefore = transaction(old);
            Dump.restore(old, restored, folder);
            assertThat(transaction(restored)).as("ids begin anew").isLessThan(transactionsBefore);

            stage.relay(stage.file().withSource(Database.of("account", restored)));

            await("all is published from the restored outbox")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> rows(restored) == 0);
            stage.observer().catchUp();
            assertThat(stage.observer().ids()).isEqualTo(stage.writers().ledger());
            assertThat(stage.observer().disorder()).isEmpty();
            assertThat(stage.backlog()).as("nobody publishes the old one").isPositive();
        }
    }

    private static long transaction(TestDatabase database) {
        return number(database, "SELECT pg_current_xact_id()::text::bigint");
    }

    private static long rows(TestDatabase database) {
        return number(database, "SELECT count(*) FROM outbox");
    }

    private static long number(TestDatabase database, String query) {
        return Objects.requireNonNull(new JdbcTemplate(database.dataSource()).queryForObject(query, Long.class));
    }
}
