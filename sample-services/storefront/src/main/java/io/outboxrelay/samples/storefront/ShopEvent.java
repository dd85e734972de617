package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;

/**
 * An event of one of the shop's services.
 *
 * @param id the same for each delivery and each replay
 * @param service whose event it is
 * @param body in the newest version of its class
 */
record ShopEvent(UUID id, String service, SpecificRecord body) {

    /** Empty for an unknown type of aggregate. */
    static Optional<ShopEvent> of(ReceivedEvent received, SpecificRecord body) {
        return serviceOf(received).map(service -> new ShopEvent(received.id(), service, body));
    }

    private static Optional<String> serviceOf(ReceivedEvent event) {
        return switch (event.aggregateType()) {
            case "customer", "country", "currency" -> Optional.of("customers");
            case "product", "reservation" -> Optional.of("products");
            case "order" -> Optional.of("orders");
            case "heartbeat" -> Optional.of(event.aggregateId());
            default -> Optional.empty();
        };
    }

    String type() {
        return body.getSchema().getName();
    }

    int version() {
        return Events.version(body);
    }

    Instant happenedAt() {
        return Events.happenedAt(body);
    }

    /** The value of a field that only some events have. */
    Optional<String> says(String field) {
        return Optional.ofNullable(body.getSchema().getField(field))
                .map(Schema.Field::pos)
                .map(body::get)
                .map(Object::toString);
    }
}
