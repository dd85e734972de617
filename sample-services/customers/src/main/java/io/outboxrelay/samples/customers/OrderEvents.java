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
 * Handles the requests and events of the orders service. The consumer calls it inside the inbox's transaction, so the
 * decision, the answer in the outbox and the inbox entry are committed together or not at all.
 */
@Component
class OrderEvents implements EventHandler {

    private final Events events;
    private final Credits credits;

    OrderEvents(Events events, Credits credits) {
        this.events = events;
        this.credits = credits;
    }

    /** Ignores event types that this version of the service does not know. */
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
