package io.outboxrelay.samples.customers;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderPaid;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;

/**
 * What the orders service asks for and tells. Called by the consumer inside the inbox's transaction: what is decided, the
 * answer in the outbox, and the note that this was done are there together or not at all.
 */
@Component
class OrderEvents implements EventHandler {

    private final Events events;
    private final Credits credits;

    OrderEvents(Events events, Credits credits) {
        this.events = events;
        this.credits = credits;
    }

    /** Event types that this version of the service does not know are not for it. */
    @Override
    public void handle(ReceivedEvent event) {
        events.read(event).ifPresent(this::apply);
    }

    private void apply(SpecificRecord event) {
        if (event instanceof CreditReservationRequested request) {
            credits.reserve(request.getCustomerId(), request.getOrderId(), request.getAmountCents());
        } else if (event instanceof CreditReleaseRequested request) {
            credits.release(request.getCustomerId(), request.getOrderId());
        } else if (event instanceof OrderPaid paid) {
            credits.settle(paid.getCustomerId(), paid.getOrderId());
        }
    }
}
