package io.outboxrelay.samples.demo;

/**
 * What a comparison of the databases found, by event ids.
 *
 * @param written events that services committed
 * @param published those that have left the outboxes
 * @param handled those in the storefront's inbox
 * @param lost those that a bound consumer has not applied; the storefront is bound to all
 * @param invented handled, never committed
 * @param outOfOrder first deliveries whose version was not the next of their aggregate
 * @param differing orders that the storefront shows differently from the orders service
 * @param open orders whose saga has not ended
 * @param oversold customers beyond their credit, products beyond their stock
 */
record Audit(
        long written,
        long published,
        long handled,
        long lost,
        long invented,
        long outOfOrder,
        long differing,
        long open,
        long oversold) {

    boolean flawless() {
        return written > 0
                && published == written
                && handled == written
                && lost == 0
                && invented == 0
                && outOfOrder == 0
                && differing == 0
                && open == 0
                && oversold == 0;
    }
}
