package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistrySchemas;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.net.URI;
import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Runs what docs/registry.md shows, as far as it gets without its registry. The registry's own tests have real ones.
 */
class RegistryExampleTest {

    @Test
    void a_payload_of_the_reader_s_own_version_needs_no_answer_of_the_registry() {
        Credentials credentials = new Credentials.None();
        OrderPaid orderPaid = OrderPaid.newBuilder()
                .setOrderId("4711")
                .setVersion(1)
                .setCustomerId("7")
                .setAmountCents(1250)
                .setHappenedAt(Instant.EPOCH)
                .build();

        byte[] body = EventEncoder.singleObject().encode(orderPaid);

        Registry registry =
                new Registry(new RegistrySettings(URI.create("https://registry:8080/apis/ccompat/v7"), credentials));
        EventDecoder<OrderPaid> decoder =
                EventDecoder.of(OrderPaid.class, new RegistrySchemas(registry, Set.of("orders.order-paid")));
        OrderPaid event = decoder.decode(body); // written with any version of it

        assertThat(event).isEqualTo(orderPaid);
    }
}
