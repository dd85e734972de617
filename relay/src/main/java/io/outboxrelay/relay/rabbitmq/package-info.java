/**
 * Publishing to RabbitMQ by AMQP 0-9-1.
 *
 * <p>{@link io.outboxrelay.relay.rabbitmq.Broker} keeps one connection for all lanes of a source and reconnects when it
 * is lost; the client's own recovery is off, because it would use old delivery tags on a new channel. Each lane has a
 * {@link io.outboxrelay.relay.rabbitmq.RabbitPublisher} with a channel of its own. The connection's threads only append
 * the broker's answers to the publisher's queue; the lane's thread matches them with the events that it has published.
 * So threads share nothing, and the answers of a lost channel end with it.
 *
 * <p>The client writes the socket for every publish, which limits a relay more than its database does. Here the frames
 * of a burst stay in the client's buffer until there are about 64 events or nothing more to send:
 * {@code BurstConnectionFactory}.
 */
@NullMarked
package io.outboxrelay.relay.rabbitmq;

import org.jspecify.annotations.NullMarked;
