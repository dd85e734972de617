/**
 * The service that owns the shop's customers and their credit, in PostgreSQL. It publishes every change as an event,
 * and takes part in the saga of each order: it reserves credit, releases it, and closes the reservation of a paid
 * order.
 *
 * <p>{@link io.outboxrelay.samples.customers.CustomersService} is the parts list.
 * {@link io.outboxrelay.samples.customers.Customers} and {@link io.outboxrelay.samples.customers.Credits} hold the
 * transactions: each locks the customer's row first, so that decisions about one customer are made one after the other.
 * {@link io.outboxrelay.samples.customers.OrderEvents} receives events,
 * {@link io.outboxrelay.samples.customers.CustomersApi} serves HTTP.
 * {@link io.outboxrelay.samples.customers.ReferenceData} shares countries and currencies.
 */
@NullMarked
package io.outboxrelay.samples.customers;

import org.jspecify.annotations.NullMarked;
