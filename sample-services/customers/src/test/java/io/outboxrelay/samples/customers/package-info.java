/** Tests of the customers service, on real servers. */
@NullMarked
package io.outboxrelay.samples.customers;

import org.jspecify.annotations.NullMarked;
