package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class BrokerKilledIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 10_000;
    private static final long MOST_COMPLAINTS = 30;

    // hazards 3, 4, 8: what was on the way to the broker is published again, by the same relay, with nobody's help.
    @Test
    void a_broker_killed_and_restarted_while_services_write_loses_nothing_and_needs_no_help(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                PrivateRabbitMq broker = Servers.startPrivateRabbitMq();
                TestVirtualHost host = broker.newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 200)) {
            int events = Writers.load(kind, EVENTS);
            RelayProcess relay = stage.relay(stage.file());
            stage.writers().start(4, events);

            for (int kill = 1; kill <= 2; kill++) {
                stage.awaitReceived(kill * events / 4);
                broker.kill();
                await("the relay says that it is not ready")
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> !relay.isReady());
                broker.start();
            }

            stage.verdict();
            assertThat(relay.isReady()).isTrue();
            assertThat(relay.complaints()).as(relay.log()).isLessThan(MOST_COMPLAINTS);
        }
    }
}
