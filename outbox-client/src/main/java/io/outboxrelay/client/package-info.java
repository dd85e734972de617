/**
 * What a service uses to publish and to consume events safely.
 *
 * <p>{@link io.outboxrelay.client.Outbox} writes events in the caller's transaction: they are published if it commits,
 * and never if it does not. {@link io.outboxrelay.client.Inbox} lets a consumer's effect and the note that it happened
 * commit together, so that an event delivered twice has its effect once.
 * {@link io.outboxrelay.client.IdempotentConsumer} puts the inbox behind a RabbitMQ queue.
 */
@NullMarked
package io.outboxrelay.client;

import org.jspecify.annotations.NullMarked;
