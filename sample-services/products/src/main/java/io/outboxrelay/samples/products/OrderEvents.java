package io.outboxrelay.samples.products;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;

/**
 * Handles the requests of the orders service. The consumer calls it inside the inbox's transaction, so the decision,
 * the answer in the outbox and the inbox entry are committed together or not at all.
 */
@Component
class OrderEvents implements EventHandler {

    private final Events events;
    private final Stock stock;

    OrderEvents(Events events, Stock stock) {
        this.events = events;
        this.stock = stock;
    }

    /** Ignores event types that this version of the service does not know. */
    @Override
    public void handle(ReceivedEvent event) {
        events.read(event).ifPresent(this::apply);
    }

    private void apply(SpecificRecord event) {
        if (event instanceof StockReservationRequested request) {
            stock.reserve(request.getOrderId(), request.getLines());
        } else if (event instanceof StockReleaseRequested request) {
            stock.release(request.getOrderId());
        }
    }
}
