/** Tests of the client, over real HTTP. */
@NullMarked
package io.outboxrelay.samples.customers.client;

import org.jspecify.annotations.NullMarked;
