/**
 * The service that owns the shop's customers and their credit, in PostgreSQL. It tells others of every change by events, and
 * takes part in the saga of each order: it reserves credit, releases it, and settles it when the order is paid.
 *
 * <p>{@link io.outboxrelay.samples.customers.CustomersService} is the parts list. {@link
 * io.outboxrelay.samples.customers.Customers} and {@link io.outboxrelay.samples.customers.Credits} hold the transactions:
 * each locks the customer's row first, so that decisions about one customer are made one after the other. {@link
 * io.outboxrelay.samples.customers.OrderEvents} is the door for events, {@link
 * io.outboxrelay.samples.customers.CustomersApi} that for HTTP. {@link io.outboxrelay.samples.customers.ReferenceData}
 * shares countries and currencies.
 */
@NullMarked
package io.outboxrelay.samples.customers;

import org.jspecify.annotations.NullMarked;
