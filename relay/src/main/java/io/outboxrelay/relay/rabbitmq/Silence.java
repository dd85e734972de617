package io.outboxrelay.relay.rabbitmq;

/**
 * What a broker has not answered in time, on one channel.
 *
 * @param events how many events
 * @param since when the oldest was published, by {@link System#nanoTime()}
 * @param exchange where the oldest went
 * @param routingKey by which key
 */
public record Silence(int events, long since, String exchange, String routingKey) {}
