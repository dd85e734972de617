package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.HostileObjects;
import io.outboxrelay.testservers.Servers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The statements run in the service's session, whose search path is the service's own. */
@Tag("server")
class HostileFunctionsTest {

    // hazard 83
    @Test
    void functions_in_public_that_fit_better_than_the_catalogs_are_not_run_by_a_service() throws Exception {
        try (ClientDatabase database = new ClientDatabase(Servers.postgres().newDatabase())) {
            database.createEffects();
            HostileObjects.fitBetter(database.server.dataSource(), "nobody_in_particular");
            Outbox outbox = new Outbox(database.pool, database.transactions);
            byte[] payload = "x".getBytes(StandardCharsets.UTF_8);
            UUID event = database.transaction.execute(status -> outbox.publish(OutboxEvent.eventType("OrderPlaced")
                    .aggregateType("order")
                    .aggregateId("1")
                    .payload(payload, "text/plain")));

            assertThat(database.inbox().once("billing", event, () -> database.effect(event)))
                    .isTrue();
            assertThat(database.inbox().purge(Duration.ofDays(60))).isZero();
        }
    }
}
