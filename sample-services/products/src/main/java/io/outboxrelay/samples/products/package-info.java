/**
 * The service that owns the shop's products and their stock, in MariaDB. It tells others of every change by events, and takes
 * part in the saga of each order: it reserves stock and releases it. Seen from outside nothing says which database it has.
 *
 * <p>{@link io.outboxrelay.samples.products.ProductsService} is the parts list. {@link
 * io.outboxrelay.samples.products.Products} and {@link io.outboxrelay.samples.products.Stock} hold the transactions; whoever
 * locks several rows does it in one order: the reservation, then products by their ids. So nobody waits in a circle. {@link
 * io.outboxrelay.samples.products.OrderEvents} is the door for events, {@link
 * io.outboxrelay.samples.products.ProductsApi} that for HTTP.
 */
@NullMarked
package io.outboxrelay.samples.products;

import org.jspecify.annotations.NullMarked;
