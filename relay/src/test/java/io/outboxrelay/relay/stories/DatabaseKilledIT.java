package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.stories.RelayFile.Database;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateServer;
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
class DatabaseKilledIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 8_000;
    private static final int EVENTS_OF_THE_OTHER = 6_000;
    private static final long MOST_COMPLAINTS = 60;

    // hazards 27, 35: recovery by itself, a bounded log, and the other source does not notice.
    @Test
    void a_database_killed_and_restarted_loses_nothing_and_slows_no_other_source(@TempDir Path folder)
            throws Exception {
        try (PrivateServer<?> server = kind.startPrivate();
                TestDatabase dying = server.newDatabase();
                TestDatabase living = Servers.postgres().newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage accounts = new Stage(folder, dying, host, "account", 200);
                Stage invoices = new Stage(folder, living, host, "invoice", 200)) {
            RelayProcess relay = accounts.relay(accounts.file().andSource(Database.of("invoice", living)));
            int events = Writers.load(kind, EVENTS);
            accounts.writers().start(4, events);
            accounts.awaitReceived(events / 4);

            server.kill();
            await("the relay says that it is not ready")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> !relay.isReady());
            // The database stays away for as long as the other source takes.
            invoices.writers().start(2, EVENTS_OF_THE_OTHER);
            invoices.verdict();
            assertThat(relay.isReady()).as("the dead database is still dead").isFalse();
            server.start();

            accounts.verdict();
            await("the relay is ready again").atMost(Duration.ofSeconds(60)).until(relay::isReady);
            assertThat(relay.complaints()).as(relay.log()).isLessThan(MOST_COMPLAINTS);
        }
    }
}
