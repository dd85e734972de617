package io.outboxrelay.samples.demo;

/**
 * What a comparison of the two databases found, by event ids.
 *
 * @param written events committed by the orders service
 * @param published those that are not in the outbox any more
 * @param handled events in the storefront's inbox
 * @param lost written, not handled
 * @param invented handled, never committed
 * @param outOfOrder first deliveries whose version was not the next of their order
 * @param differing orders that the storefront sees otherwise than the orders service
 */
record Audit(long written, long published, long handled, long lost, long invented, long outOfOrder, long differing) {

    boolean flawless() {
        return written > 0
                && published == written
                && handled == written
                && lost == 0
                && invented == 0
                && outOfOrder == 0
                && differing == 0;
    }
}
