package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class FrozenRelayIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 6_000;

    /** What a lane may have had in its hands between looking at its lease and writing to the socket: one burst. */
    private static final int BURST = 64;

    // hazard 20
    @Test
    void a_relay_frozen_beyond_its_lease_and_resumed_changes_nothing_that_another_relay_owns(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 100)) {
            int events = Writers.load(kind, EVENTS);
            RelayProcess sleeper = stage.relay(stage.file().named("sleeper"));
            stage.awaitLanes(Map.of("sleeper", Stage.LANES));
            stage.writers().start(4, events);
            stage.awaitReceived(events / 4);

            sleeper.freeze();
            stage.relay(stage.file().named("heir"));
            stage.awaitLanes(Map.of("heir", Stage.LANES));
            stage.verdict();
            int duplicates = stage.observer().duplicates();
            int epochs = stage.epochs();

            sleeper.thaw();
            await("the sleeper finds out")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> sleeper.log().contains("is owned by another relay now"));
            // It gets lanes again only from the heir's hands: each of them changes its owner once.
            stage.awaitLanes(Map.of("heir", Stage.LANES / 2, "sleeper", Stage.LANES / 2));
            assertThat(stage.epochs()).isEqualTo(epochs + Stage.LANES / 2);

            stage.writers().write(4, events * 2);
            stage.verdict();
            assertThat(stage.observer().duplicates() - duplicates)
                    .as("published by the sleeper after it woke, without the right to")
                    .isLessThanOrEqualTo(Stage.LANES * BURST);
        }
    }
}
