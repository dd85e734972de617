/**
 * The service that owns the shop's orders. It has a database of its own and talks to no broker: what others must know,
 * it writes into the outbox in the transaction that changes the order.
 *
 * <p>{@link io.outboxrelay.samples.orders.Orders} holds the transactions, {@link
 * io.outboxrelay.samples.orders.OrdersApi} is its door for HTTP.
 */
@NullMarked
package io.outboxrelay.samples.orders;

import org.jspecify.annotations.NullMarked;
