/**
 * What customers of the shop see. The service owns no data: it shows that of others, in the two ways there are.
 *
 * <p><b>Views</b> (CQRS): {@link io.outboxrelay.samples.storefront.ViewUpdates} hears every event of the shop and gives it to
 * each {@link io.outboxrelay.samples.storefront.View}, which keeps rows in the shape in which they are read. Answers need no
 * other service and are a little old; each says how old. They can be emptied and built again ({@code rebuild-views.sql}):
 *
 * <ul>
 *   <li>{@link io.outboxrelay.samples.storefront.OrderView}: an order and its saga, step by step;
 *   <li>{@link io.outboxrelay.samples.storefront.CustomerView}: customers, and what credit they have left;
 *   <li>{@link io.outboxrelay.samples.storefront.ProductView}: products and prices;
 *   <li>{@link io.outboxrelay.samples.storefront.ReferenceView}: countries and currencies;
 *   <li>{@link io.outboxrelay.samples.storefront.RegionView}: the customers of a region with their recent orders, one query
 *       over what the others keep.
 * </ul>
 *
 * <p><b>API composition</b>: {@link io.outboxrelay.samples.storefront.OrderComposition} asks the owners themselves. Its answer
 * is as new as can be, and lacks the part of whoever is away. {@link io.outboxrelay.samples.storefront.RemoteService} is how
 * one is asked: timeout, retry, circuit breaker.
 *
 * <p>{@link io.outboxrelay.samples.storefront.StorefrontService} is the parts list. The page is plain files in {@code static}.
 */
@NullMarked
package io.outboxrelay.samples.storefront;

import org.jspecify.annotations.NullMarked;
