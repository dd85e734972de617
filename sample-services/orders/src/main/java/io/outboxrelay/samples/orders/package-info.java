/**
 * The service that owns the shop's orders and orchestrates their sagas. It has its own database, calls no other service
 * over HTTP, and does not talk to the broker when it writes. It writes events and requests into the outbox, in the
 * transaction that changes the order; the answers arrive through the inbox.
 *
 * <pre>
 * POST /orders ─▶ OrdersApi ─▶ Checkout ─▶ PlaceOrderSaga ─▶ Orders, Events (outbox)
 *                                 │              ▲
 *                              Replicas     SagaAnswers ◀─ queue orders.saga        stock and credit, reserved or not
 *                                 ▲         SagaDeadlines ◀─ the database's clock   no answer in time
 *                           ReplicaUpdates ◀─ queue orders.replicas                 customers, products, heartbeats
 * </pre>
 *
 * <p>Begin with {@link io.outboxrelay.samples.orders.PlaceOrderSaga}, which contains the table of the saga.
 */
@NullMarked
package io.outboxrelay.samples.orders;

import org.jspecify.annotations.NullMarked;
