/**
 * Technical code that all services of the shop share, without any business logic: events in and out, a heartbeat for
 * services that keep copies, and the age of a service's own copies. A chassis saves each service the same fifty lines;
 * it must stay so small that a service could do without it.
 */
@NullMarked
package io.outboxrelay.samples.chassis;

import org.jspecify.annotations.NullMarked;
