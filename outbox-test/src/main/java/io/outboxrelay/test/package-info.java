/**
 * For the tests of a service that publishes or consumes events.
 *
 * <ul>
 *   <li>{@link io.outboxrelay.test.PublishedEvents} reads what a test has written into the outbox, in its own
 *       transaction or committed, and {@link io.outboxrelay.test.OutboxAssertions} says how it differs from what was
 *       expected;
 *   <li>{@link io.outboxrelay.test.EventDelivery} hands events to the service's consumers at once, through the inbox
 *       and without a broker;
 *   <li>{@link io.outboxrelay.test.AutoConfigureOutboxTest} makes both beans of a Spring Boot test.
 * </ul>
 */
@NullMarked
package io.outboxrelay.test;

import org.jspecify.annotations.NullMarked;
