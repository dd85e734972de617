package io.outboxrelay.samples.products;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.EventHandlers;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import org.springframework.stereotype.Component;

/**
 * Handles the requests of the orders service. The consumer calls it inside the inbox's transaction, so the decision,
 * the answer in the outbox and the inbox entry are committed together or not at all.
 */
@Component
class OrderEvents implements EventHandler {

    private final EventHandlers handlers;

    /** Other types are ignored: this version of the service does not know them, and the queue's binding has room. */
    OrderEvents(AvroEvents events, Stock stock) {
        this.handlers = EventHandlers.reading(events)
                .on(
                        "StockReservationRequested",
                        StockReservationRequested.class,
                        (request, event) -> stock.reserve(request.getOrderId(), request.getLines()))
                .on(
                        "StockReleaseRequested",
                        StockReleaseRequested.class,
                        (request, event) -> stock.release(request.getOrderId()))
                .ignoringOthers();
    }

    @Override
    public void handle(ReceivedEvent event) throws Exception {
        handlers.handle(event);
    }
}
