package io.outboxrelay.samples.orders;

import org.springframework.stereotype.Component;

/** Stands for the payment provider. */
@Component
class Bank {

    /** A card that has no money on it, for trying out what a rolled back transaction leaves behind: nothing. */
    static final String EMPTY_CARD = "4000-0000-0000-0002";

    boolean accepts(String card, long amountCents) {
        return !card.equals(EMPTY_CARD) || amountCents == 0;
    }
}
