package io.outboxrelay.samples.orders;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReserved;
import io.outboxrelay.samples.contracts.OrderRejection;
import io.outboxrelay.samples.contracts.StockRejected;
import io.outboxrelay.samples.contracts.StockReleased;
import io.outboxrelay.samples.contracts.StockReserved;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;

/** Passes the answers of customers and products to the saga, in the inbox's transaction. */
@Component
class SagaAnswers implements EventHandler {

    private final Events events;
    private final PlaceOrderSaga saga;

    SagaAnswers(Events events, PlaceOrderSaga saga) {
        this.events = events;
        this.saga = saga;
    }

    @Override
    public void handle(ReceivedEvent received) {
        events.read(received).ifPresent(this::apply);
    }

    /** Ignores other events of the queue, such as a new credit limit. */
    private void apply(SpecificRecord event) {
        if (event instanceof StockReserved reserved) {
            saga.stockReserved(UUID.fromString(reserved.getOrderId()));
        } else if (event instanceof StockRejected rejected) {
            saga.stockRejected(UUID.fromString(rejected.getOrderId()), reason(rejected));
        } else if (event instanceof StockReleased released) {
            saga.stockReleased(UUID.fromString(released.getOrderId()));
        } else if (event instanceof CreditReserved reserved) {
            saga.creditReserved(UUID.fromString(reserved.getOrderId()));
        } else if (event instanceof CreditRejected rejected) {
            saga.creditRejected(UUID.fromString(rejected.getOrderId()), reason(rejected));
        } else if (event instanceof CreditReleased released) {
            saga.creditReleased(UUID.fromString(released.getOrderId()));
        }
    }

    private static OrderRejection reason(StockRejected rejected) {
        return switch (rejected.getReason()) {
            case OUT_OF_STOCK -> OrderRejection.OUT_OF_STOCK;
            case UNKNOWN_PRODUCT -> OrderRejection.UNKNOWN_PRODUCT;
            case ALREADY_RELEASED, UNKNOWN -> OrderRejection.UNKNOWN;
        };
    }

    private static OrderRejection reason(CreditRejected rejected) {
        return switch (rejected.getReason()) {
            case CREDIT_EXCEEDED -> OrderRejection.CREDIT_EXCEEDED;
            case UNKNOWN_CUSTOMER -> OrderRejection.UNKNOWN_CUSTOMER;
            case ALREADY_RELEASED, UNKNOWN -> OrderRejection.UNKNOWN;
        };
    }
}
