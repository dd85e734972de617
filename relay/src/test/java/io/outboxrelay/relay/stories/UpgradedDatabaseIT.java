package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.stories.RelayFile.Database;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.JdbcTemplate;

/** What docs/operations.md says about upgrading PostgreSQL by logical replication, step by step. */
@Tag("full")
class UpgradedDatabaseIT {

    private static final int AGGREGATES = 50;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    // hazard 68
    @Test
    void an_upgrade_from_15_to_18_by_logical_replication_loses_nothing_and_keeps_the_order(@TempDir Path folder)
            throws Exception {
        try (PrivateServer<Postgres> from = Servers.startPrivatePostgres(15, "wal_level=logical");
                PrivateServer<Postgres> to = Servers.startPrivatePostgres(18);
                TestDatabase old = from.newDatabase();
                TestDatabase fresh = to.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, old, host, "account", AGGREGATES);
                Writers moved = emptyTables(fresh)) {
            RelayProcess relay = stage.relay(stage.file());
            stage.writers().start(4, 2_000);

            subscribe(fresh, old);
            stage.awaitReceived(500);
            assertThat(relay.terminate()).isZero();
            stage.writers().join();
            stage.writers().write(4, 2_100); // the last hundred, while no relay runs
            assertThat(stage.backlog()).as("left for the new server").isPositive();
            awaitEverything(old);
            carryOverSequences(old, fresh);
            sql(fresh).execute("DROP SUBSCRIPTION upgrade");

            stage.relay(stage.file().withSource(Database.of("account", fresh)));
            moved.write(4, 500);

            await("all is published from the new server")
                    .atMost(PATIENCE)
                    .until(() -> is(fresh, "SELECT NOT EXISTS (SELECT FROM outbox)"));
            stage.observer().catchUp();
            assertThat(stage.observer().ids()).isEqualTo(moved.ledger());
            assertThat(stage.observer().disorder()).isEmpty();
        }
    }

    private static Writers emptyTables(TestDatabase fresh) {
        OutboxSchema.install(fresh.dataSource());
        Writers writers = new Writers(fresh, "account", AGGREGATES);
        sql(fresh).execute("TRUNCATE outbox_lane, outbox_schema_history, story_aggregate");
        return writers;
    }

    private static void subscribe(TestDatabase fresh, TestDatabase old) {
        sql(old).execute("CREATE PUBLICATION upgrade FOR ALL TABLES WITH (publish_via_partition_root = true)");
        sql(fresh)
                .execute(
                        "CREATE SUBSCRIPTION upgrade CONNECTION 'host=%s port=%d dbname=%s user=%s' PUBLICATION upgrade"
                                .formatted(old.host(), old.port(), old.name(), old.user()));
        await("every table is copied")
                .atMost(PATIENCE)
                .until(() -> is(fresh, "SELECT NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')"));
    }

    private static void awaitEverything(TestDatabase old) {
        String end = sql(old).queryForObject("SELECT pg_current_wal_lsn()", String.class);
        await("the new server has everything")
                .atMost(PATIENCE)
                .until(() -> is(
                        old,
                        "SELECT confirmed_flush_lsn >= '" + end
                                + "' FROM pg_replication_slots WHERE slot_name = 'upgrade'"));
    }

    private static void carryOverSequences(TestDatabase old, TestDatabase fresh) {
        sql(old).queryForList("""
                    SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value)
                    FROM pg_sequences WHERE last_value IS NOT NULL
                    """, String.class).forEach(sql(fresh)::execute);
    }

    private static boolean is(TestDatabase database, String question) {
        return Boolean.TRUE.equals(sql(database).queryForObject(question, Boolean.class));
    }

    private static JdbcTemplate sql(TestDatabase database) {
        return new JdbcTemplate(database.dataSource());
    }
}
