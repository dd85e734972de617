/**
 * How others ask the customers service. {@link io.outboxrelay.samples.customers.client.CustomersClient} is the door: it knows
 * the service's addresses and JSON, how long to wait, what to try again and when to leave the service alone. It decides
 * nothing that the business cares about: whether credit is enough, for one, is for the service to say.
 */
@NullMarked
package io.outboxrelay.samples.customers.client;

import org.jspecify.annotations.NullMarked;
