package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.stories.RelayFile.Timing;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class SharedLanesIT {

    @Parameter
    DatabaseKind kind;

    private static final int HALF = Stage.LANES / 2;

    private TestDatabase database;
    private TestVirtualHost host;
    private Stage stage;
    private RelayFile file;

    @BeforeEach
    void start(@TempDir Path folder) throws Exception {
        database = kind.newDatabase();
        host = Servers.rabbitmq().newVirtualHost();
        stage = new Stage(folder, database, host, "account", 100);
        // No lane can move because a lease ran out: every move in here is a handover.
        file = stage.file().with(Timing.LONG_LEASE);
    }

    @AfterEach
    void stop() {
        stage.close();
        host.close();
        database.close();
    }

    // hazard 19
    @Test
    void two_relays_in_steady_state_never_publish_an_event_twice() throws Exception {
        stage.relay(file.named("one"));
        stage.relay(file.named("two"));
        stage.awaitLanes(Map.of("one", HALF, "two", HALF));

        stage.writers().start(4, Writers.load(kind, 8_000));

        stage.verdict();
        assertThat(stage.observer().duplicates()).isZero();
        assertThat(stage.lanes()).isEqualTo(Map.of("one", HALF, "two", HALF));
    }

    // hazards 23, 24: a newcomer gets its share, a stopped relay's lanes move at once, and no aggregate is in flight
    // twice.
    @Test
    void relays_that_join_and_leave_get_and_release_their_lanes_and_no_event_is_published_twice() throws Exception {
        stage.relay(file.named("steady"));
        stage.awaitLanes(Map.of("steady", Stage.LANES));
        stage.writers().start(4, Writers.load(kind, 10_000));

        for (int guests = 1; guests <= 3; guests++) {
            String guest = "guest-" + guests;
            RelayProcess relay = stage.relay(file.named(guest));
            stage.awaitLanes(Map.of("steady", HALF, guest, HALF));
            assertThat(relay.terminate()).isZero();
            stage.awaitLanes(Map.of("steady", Stage.LANES));
        }

        stage.verdict();
        assertThat(stage.observer().duplicates()).isZero();
    }
}
