package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#hereInFull")
class RelayKilledIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 20_000;
    /** So many that after the last kill more are left than the writers may be ahead. */
    private static final int EVENTS_ELSEWHERE = 12_000;

    private static final int AGGREGATES = 500;
    private static final int CONNECTIONS = 8;
    private static final int KILLS = 5;

    // hazards 3, 13, 14, 15, 17: the writers commit late, roll back, and split transactions over many batches.
    @Test
    void a_relay_killed_five_times_while_services_write_loses_nothing_and_keeps_the_order(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", AGGREGATES);
                Connection slowest = database.dataSource().getConnection()) {
            int events = kind == DatabaseKind.POSTGRESQL ? EVENTS : EVENTS_ELSEWHERE;
            slowest.setAutoCommit(false);
            stage.writers().writeApart(slowest);
            stage.writers().start(CONNECTIONS, events);

            for (int kill = 1; kill <= KILLS; kill++) {
                RelayProcess relay = stage.relay(stage.file().named("relay-" + kill));
                stage.awaitReceived(kill * events / (KILLS + 2));
                assertThat(stage.writers().areWriting())
                        .as("services write while the relay is killed")
                        .isTrue();
                relay.kill();
            }

            // The first transaction of all, open for longer than every lease, deadline and timeout, commits last.
            slowest.commit();
            stage.relay(stage.file().named("survivor"));
            stage.verdict();
        }
    }
}
