/**
 * How other services call the customers service. Start with
 * {@link io.outboxrelay.samples.customers.client.CustomersClient}: it knows the service's addresses and JSON, the
 * timeouts, the retries and the circuit breaker. It makes no business decisions: only the service decides, for example,
 * whether credit is sufficient.
 */
@NullMarked
package io.outboxrelay.samples.customers.client;

import org.jspecify.annotations.NullMarked;
