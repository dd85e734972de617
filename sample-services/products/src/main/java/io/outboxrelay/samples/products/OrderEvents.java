package io.outboxrelay.samples.products;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;

/**
 * What the orders service asks for. Called by the consumer inside the inbox's transaction: what is decided, the answer in the
 * outbox, and the note that this was done are there together or not at all.
 */
@Component
class OrderEvents implements EventHandler {

    private final Events events;
    private final Stock stock;

    OrderEvents(Events events, Stock stock) {
        this.events = events;
        this.stock = stock;
    }

    /** Event types that this version of the service does not know are not for it. */
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
