/**
 * Publishing to RabbitMQ by AMQP 0-9-1.
 *
 * <p>{@link io.outboxrelay.relay.rabbitmq.Broker} keeps one connection for all lanes of a source and connects again when
 * it is lost; the client's own recovery is off, since it would give old delivery tags to a new channel. Each lane has a
 * {@link io.outboxrelay.relay.rabbitmq.RabbitPublisher} with a channel of its own. The connection's threads only put what
 * the broker says into the publisher's queue; the lane's thread matches it with what it has published. So nothing is
 * shared, and the answers of a lost channel go with it.
 *
 * <p>The client writes the socket at every publish, and that bounds a relay more than its database does. Here the frames
 * of a burst stay in the client's buffer until about 64 events are together or there is nothing more to send:
 * {@code BurstConnectionFactory}.
 */
@NullMarked
package io.outboxrelay.relay.rabbitmq;

import org.jspecify.annotations.NullMarked;
