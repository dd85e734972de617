/**
 * The service that owns the shop's orders and leads the saga of each. It has a database of its own, asks no other service
 * over HTTP and talks to no broker when it writes: what others must know or do, it writes into the outbox in the transaction
 * that changes the order; what they answer comes through the inbox.
 *
 * <pre>
 * POST /orders ─▶ OrdersApi ─▶ Checkout ─▶ PlaceOrderSaga ─▶ Orders, Events (outbox)
 *                                 │              ▲
 *                              Replicas     SagaAnswers ◀─ queue orders.saga        stock and credit, kept or not
 *                                 ▲         SagaDeadlines ◀─ the database's clock   no answer in time
 *                           ReplicaUpdates ◀─ queue orders.replicas                 customers, products, heartbeats
 * </pre>
 *
 * <p>Begin with {@link io.outboxrelay.samples.orders.PlaceOrderSaga}: it is the table of the saga.
 */
@NullMarked
package io.outboxrelay.samples.orders;

import org.jspecify.annotations.NullMarked;
