package io.outboxrelay.samples.orders;

import org.springframework.stereotype.Component;

/** Stands in for the payment provider. */
@Component
class Bank {

    /** A card that is always declined, to show that a rolled back transaction leaves nothing behind. */
    static final String EMPTY_CARD = "4000-0000-0000-0002";

    boolean accepts(String card, long amountCents) {
        return !card.equals(EMPTY_CARD) || amountCents == 0;
    }
}
