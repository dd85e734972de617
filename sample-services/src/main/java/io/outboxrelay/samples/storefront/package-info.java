/**
 * The service that customers look at. It asks no other service: it keeps a read model in its own database and builds it
 * from the events of the others.
 *
 * <p>{@link io.outboxrelay.samples.storefront.OrderViews} applies each event once; {@link
 * io.outboxrelay.samples.storefront.StorefrontService} is the parts list.
 */
@NullMarked
package io.outboxrelay.samples.storefront;

import org.jspecify.annotations.NullMarked;
