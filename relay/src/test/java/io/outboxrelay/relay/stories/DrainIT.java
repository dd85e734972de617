package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.stories.RelayFile.Timing;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrainIT {

    private static final int EVENTS = 20_000;

    // hazard 25
    @Test
    void a_relay_told_to_stop_settles_what_is_confirmed_and_gives_the_rest_and_its_leases_back(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = Servers.postgres().newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 500)) {
            stage.writers().write(4, EVENTS);
            RelayFile file = stage.file().with(Timing.LONG_LEASE);
            RelayProcess relay = stage.relay(file.named("leaver"));
            stage.awaitReceived(EVENTS / 10);

            int status = relay.terminate();

            assertThat(status).isZero();
            assertThat(stage.lanes()).as("lanes that somebody owns").isEmpty();
            assertThat(stage.sql().queryForList("SELECT instance FROM outbox_instance"))
                    .isEmpty();
            stage.observer().catchUp();
            Set<UUID> left = new HashSet<>(stage.sql().queryForList("SELECT event_id FROM outbox", UUID.class));
            assertThat(left).as("it was stopped in the middle").isNotEmpty();
            assertThat(stage.observer().ids()).as("delivered and not settled").doesNotContainAnyElementsOf(left);

            stage.relay(file.named("successor"));
            stage.verdict();
            assertThat(stage.observer().duplicates()).isZero();
        }
    }
}
