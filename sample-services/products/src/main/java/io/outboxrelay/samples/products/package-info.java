/**
 * The service that owns the shop's products and their stock, in MariaDB. It publishes every change as an event, and
 * takes part in the saga of each order: it reserves stock and releases it. Its database is invisible from outside.
 *
 * <p>{@link io.outboxrelay.samples.products.ProductsService} is the parts list.
 * {@link io.outboxrelay.samples.products.Products} and {@link io.outboxrelay.samples.products.Stock} contain the
 * transactions. All of them lock rows in one order, the reservation and then products by their ids, so they cannot
 * deadlock. {@link io.outboxrelay.samples.products.OrderEvents} receives events,
 * {@link io.outboxrelay.samples.products.ProductsApi} serves HTTP.
 */
@NullMarked
package io.outboxrelay.samples.products;

import org.jspecify.annotations.NullMarked;
