/**
 * The pages that customers of the shop see. The service owns no data: it shows that of others in two ways.
 *
 * <p><b>Views</b> (CQRS): {@link io.outboxrelay.samples.storefront.ViewUpdates} receives every event of the shop and
 * applies it to each {@link io.outboxrelay.samples.storefront.View}, which keeps rows in the shape in which they are
 * read. Answers need no other service and are a little old; each has its age. Views can be emptied and rebuilt
 * ({@code rebuild-views.sql}):
 *
 * <ul>
 *   <li>{@link io.outboxrelay.samples.storefront.OrderView}: an order and its saga, step by step;
 *   <li>{@link io.outboxrelay.samples.storefront.CustomerView}: customers and their available credit;
 *   <li>{@link io.outboxrelay.samples.storefront.ProductView}: products and prices;
 *   <li>{@link io.outboxrelay.samples.storefront.ReferenceView}: countries and currencies;
 *   <li>{@link io.outboxrelay.samples.storefront.RegionView}: the customers of a region with their recent orders, one
 *       query over the rows of the others.
 * </ul>
 *
 * <p>{@link io.outboxrelay.samples.storefront.OwnOrders} lets customers see the order that they have just placed: it
 * waits until the views have it.
 *
 * <p><b>API composition</b>: {@link io.outboxrelay.samples.storefront.OrderComposition} calls the owning services. Its
 * answer is current, and lacks the parts of unavailable services.
 * {@link io.outboxrelay.samples.storefront.RemoteService} makes the calls: timeout, retry, circuit breaker.
 *
 * <p>{@link io.outboxrelay.samples.storefront.StorefrontService} is the parts list. The page is plain files in
 * {@code static}.
 */
@NullMarked
package io.outboxrelay.samples.storefront;

import org.jspecify.annotations.NullMarked;
