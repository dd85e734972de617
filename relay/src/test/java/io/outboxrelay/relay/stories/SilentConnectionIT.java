package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.stories.RelayFile.Database;
import io.outboxrelay.relay.testing.Wire;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
class SilentConnectionIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 6_000;

    // hazard 36
    @Test
    void connections_to_the_broker_that_die_silently_are_detected_and_replaced(@TempDir Path folder) throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Wire wire = new Wire(host.host(), host.port());
                Stage stage = new Stage(folder, database, host, "account", 100)) {
            stage.relay(stage.file().withBrokerAt(wire.port()));
            stage.writers().start(4, Writers.load(kind, EVENTS));
            stage.awaitReceived(Writers.load(kind, EVENTS) / 4);

            assertThat(wire.cut()).isPositive();

            stage.verdict();
        }
    }

    // hazard 36
    @Test
    void connections_to_the_database_that_die_silently_are_detected_and_replaced(@TempDir Path folder)
            throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Wire wire = new Wire(database.host(), database.port());
                Stage stage = new Stage(folder, database, host, "account", 100)) {
            stage.relay(stage.file().withSource(Database.of("account", database).at(wire.port())));
            stage.writers().start(4, Writers.load(kind, EVENTS));
            stage.awaitReceived(Writers.load(kind, EVENTS) / 4);

            assertThat(wire.cut()).isPositive();

            stage.verdict();
        }
    }
}
