package io.outboxrelay.samples.orders;

import java.util.Locale;

/** State of an order's saga. {@link PlaceOrderSaga} has the transitions. */
enum OrderState {
    AWAITING_STOCK(true),
    AWAITING_CREDIT(true),
    CONFIRMED(false),
    RELEASING_CREDIT(true),
    RELEASING_STOCK(true),
    PAID(false),
    REJECTED(false),
    CANCELLED(false);

    private final boolean waits;

    OrderState(boolean waits) {
        this.waits = waits;
    }

    /** Whether an answer of another service is due, and therefore a deadline is set. */
    boolean waits() {
        return waits;
    }

    /** As it is written in the database and over HTTP: {@code awaiting_stock}. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static OrderState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
