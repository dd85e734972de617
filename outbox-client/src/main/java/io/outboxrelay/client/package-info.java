/**
 * What a service uses to publish and to consume events safely.
 *
 * <p>{@link io.outboxrelay.client.Outbox} writes events in the caller's transaction: they are published if it commits,
 * and never if it does not. {@link io.outboxrelay.client.Inbox} lets a consumer's effect and the note that it happened
 * commit together, so that an event delivered twice has its effect once.
 * {@link io.outboxrelay.client.IdempotentConsumer} puts the inbox behind a RabbitMQ queue, in this order:
 *
 * <pre>
 * queue ── Subscription ──┬── Worker 0 ── Effects ── inbox, the handler's tables, inbox_failure
 *          (one channel)  ├── Worker 1                     │
 *                         └── …                            └── StoredRetries (what people retry)
 * </pre>
 *
 * <p>The events of one aggregate go to one worker, which handles them one after the other. What a worker has in memory
 * it may lose at any time: the broker delivers again what was not acknowledged, and the inbox knows what was done.
 */
@NullMarked
package io.outboxrelay.client;

import org.jspecify.annotations.NullMarked;
