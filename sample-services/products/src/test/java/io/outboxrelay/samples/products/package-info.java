/** Tests of the products service, on real servers. */
@NullMarked
package io.outboxrelay.samples.products;

import org.jspecify.annotations.NullMarked;
