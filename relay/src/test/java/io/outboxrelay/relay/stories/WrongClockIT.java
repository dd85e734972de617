package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.ShiftedClock;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code WallClockTest} proves from the byte code what this shows at work. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("full")
class WrongClockIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 6_000;
    private static final Duration OFF = Duration.ofMinutes(10);

    // hazard 22
    @Test
    void relays_whose_clocks_are_ten_minutes_off_share_lanes_and_take_over_as_usual(@TempDir Path folder)
            throws Exception {
        ShiftedClock clock = ShiftedClock.build(folder)
                .orElseGet(
                        () -> abort("NOT PROVEN HERE: without a C compiler (`cc`) no relay can be given a wrong clock."
                                + " Install one, for example: apt-get install gcc libc6-dev"));
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 100)) {
            Map<String, Integer> halves = Map.of("early", Stage.LANES / 2, "late", Stage.LANES / 2);
            RelayProcess early = stage.relay(stage.file().named("early"), clock.offBy(OFF));
            stage.relay(stage.file().named("late"), clock.offBy(OFF.negated()));
            stage.awaitLanes(halves);
            stage.writers().start(4, Writers.load(kind, EVENTS));
            stage.awaitReceived(Writers.load(kind, EVENTS) / 2);
            assertThat(stage.lanes()).isEqualTo(halves);
            assertThat(stage.observer().duplicates()).isZero();

            early.kill();

            stage.awaitLanes(Map.of("late", Stage.LANES));
            stage.verdict();
        }
    }
}
