package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.stories.RelayFile.Timing;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class DrainIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 20_000;

    // hazard 25
    @Test
    void a_relay_that_gets_sigterm_settles_confirmed_events_and_releases_the_rest_and_its_leases(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 500)) {
            int events = Writers.load(kind, EVENTS);
            stage.writers().write(4, events);
            RelayFile file = stage.file().with(Timing.LONG_LEASE);
            RelayProcess relay = stage.relay(file.named("leaver"));
            stage.awaitReceived(events / 10);

            int status = relay.terminate();

            assertThat(status).isZero();
            assertThat(stage.lanes()).as("lanes that somebody owns").isEmpty();
            assertThat(stage.sql().queryForList("SELECT instance FROM outbox_instance"))
                    .isEmpty();
            stage.observer().catchUp();
            Set<UUID> left = stage.writers().unpublished();
            assertThat(left).as("it was stopped in the middle").isNotEmpty();
            assertThat(stage.observer().ids()).as("delivered and not settled").doesNotContainAnyElementsOf(left);

            stage.relay(file.named("successor"));
            stage.verdict();
            assertThat(stage.observer().duplicates()).isZero();
        }
    }
}
