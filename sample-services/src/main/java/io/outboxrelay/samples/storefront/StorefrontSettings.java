package io.outboxrelay.samples.storefront;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * What the storefront is told besides what Spring Boot knows.
 *
 * @param brokerUri where the events come from
 * @param queueType what kind of queue to declare
 */
@ConfigurationProperties("storefront")
record StorefrontSettings(String brokerUri, QueueType queueType) {

    /** Kinds of queue. */
    enum QueueType {
        /** Replicated, with a delivery limit and a dead-letter queue: what a service should use. */
        QUORUM,
        /** Nothing but durable: all that a broker other than RabbitMQ may understand. */
        CLASSIC
    }
}
