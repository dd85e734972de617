package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.stories.RelayFile.Timing;
import io.outboxrelay.relay.testing.Wire;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class LeaseIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 40;
    private static final Duration ANSWERS_ARE_LATE_BY = Duration.ofMillis(300);

    // hazard 21, first half
    @Test
    void a_relay_whose_lease_would_not_outlast_confirm_deadline_and_settling_does_not_start(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 1)) {
            Timing hasty = new Timing("4s", "1s", "2s", "1s");

            RelayProcess relay = stage.start(stage.file().with(hasty), Map.of());

            assertThat(relay.awaitExit()).isEqualTo(2);
            assertThat(relay.log()).contains("lease.duration", "must be longer than 4s");
        }
    }

    // hazard 21, second half: the events of one aggregate go one by one over a slow network, which takes longer than
    // the
    // lease lasts; a second relay stands by to take a lane whose lease runs out.
    @Test
    void a_lease_is_renewed_while_its_lane_is_in_a_long_publish(@TempDir Path folder) throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Wire wire = new Wire(host.host(), host.port());
                Stage stage = new Stage(folder, database, host, "account", 1);
                Connection service = database.dataSource().getConnection()) {
            service.setAutoCommit(false);
            for (int event = 0; event < EVENTS; event++) {
                stage.writers().writeApart(service);
            }
            for (String relay : new String[] {"one", "two"}) {
                stage.relay(stage.file().named(relay).withBrokerAt(wire.port()));
            }
            stage.awaitLanes(Map.of("one", Stage.LANES / 2, "two", Stage.LANES / 2));
            int epochs = stage.epochs();

            wire.delayAnswers(ANSWERS_ARE_LATE_BY.toNanos());
            service.commit();

            stage.awaitReceived(1);
            stage.sql().execute("CREATE TABLE first_lease AS SELECT max(lease_until) AS ends FROM outbox_lane");
            await("the publish outlasts the first lease")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> firstLeaseIsOver(stage));
            assertThat(stage.backlog())
                    .as("settled at the end of the cycle, which is not yet")
                    .isEqualTo(EVENTS);

            stage.verdict();
            assertThat(stage.epochs()).as("no lane changed its owner").isEqualTo(epochs);
            assertThat(stage.observer().duplicates()).isZero();
        }
    }

    private boolean firstLeaseIsOver(Stage stage) {
        String now = kind.isInnoDb() ? "utc_timestamp(6)" : "clock_timestamp()";
        return Boolean.TRUE.equals(
                stage.sql().queryForObject("SELECT " + now + " > ends FROM first_lease", Boolean.class));
    }
}
