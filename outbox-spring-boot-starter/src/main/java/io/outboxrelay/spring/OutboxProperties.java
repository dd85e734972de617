package io.outboxrelay.spring;

import io.outboxrelay.schema.OutboxSchema;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application can say about its outbox, its inbox and its consumers.
 *
 * @param schema the tables
 * @param inbox the inbox
 * @param consumer what consumers have in common
 */
@ConfigurationProperties("outbox")
record OutboxProperties(
        @DefaultValue Schema schema,
        @DefaultValue Inbox inbox,
        @DefaultValue Consumer consumer) {

    /**
     * The tables.
     *
     * @param name Database schema in which the outbox and inbox tables lie.
     * @param install Whether to install the tables, or bring them up to date, when the application starts.
     * @param lanes Number of lanes of a new installation, 1 to 1024; 8 if it is left out. An existing installation keeps
     *     its number.
     */
    record Schema(
            @DefaultValue(OutboxSchema.DEFAULT_NAME) String name,
            @DefaultValue("false") boolean install,
            @Nullable Integer lanes) {

        OutboxSchema description() {
            OutboxSchema described = OutboxSchema.defaults().withSchema(name);
            return lanes == null ? described : described.withLanes(lanes);
        }
    }

    /**
     * The inbox.
     *
     * @param purge forgetting old events
     */
    record Inbox(@DefaultValue Purge purge) {}

    /**
     * Forgetting old events.
     *
     * @param olderThan Age from which processed events are forgotten, at least the floor. Nothing is forgotten if it is
     *     left out.
     * @param every Time between two purges.
     * @param floor Age below which nothing may be forgotten, because an event may still be delivered again or replayed.
     */
    record Purge(
            @Nullable Duration olderThan,
            @DefaultValue("1h") Duration every,
            @DefaultValue("7d") Duration floor) {

        Purge {
            if (every.isNegative() || every.isZero()) {
                throw new IllegalArgumentException("outbox.inbox.purge.every must be positive, not " + every);
            }
            if (olderThan != null && olderThan.compareTo(floor) < 0) {
                throw new IllegalArgumentException("outbox.inbox.purge.older-than is " + olderThan
                        + ", below the floor outbox.inbox.purge.floor of " + floor);
            }
        }
    }

    /**
     * What consumers have in common. The defaults are those of {@code IdempotentConsumer}.
     *
     * @param uri Address of the broker with user and password, amqp://user:password@host:5672/virtual-host, or amqps: for
     *     TLS, which verifies the broker by the runtime's trust store. Left out if the application has a
     *     ConnectionFactory of RabbitMQ's Java client as a bean, which wins.
     * @param prefetch Number of deliveries that the broker may send ahead to a consumer, 1 to 65535.
     * @param attempts How often a handler may try an event before it goes to the dead-letter exchange, at least 1.
     * @param firstBackoff Upper bound of the wait after the first failed attempt; the next are twice as long each.
     * @param longestBackoff Upper bound of every wait between two attempts.
     * @param patience How long an event is kept in hand while the database is away, before it goes back to the queue.
     * @param contentionPatience How long deadlocks, lock timeouts and serialization failures of one event spend no attempt,
     *     counted from the first.
     * @param stopTimeout How long a consumer that stops lets the event in hand finish.
     */
    record Consumer(
            @Nullable String uri,
            @DefaultValue("100") int prefetch,
            @DefaultValue("5") int attempts,
            @DefaultValue("200ms") Duration firstBackoff,
            @DefaultValue("10s") Duration longestBackoff,
            @DefaultValue("20s") Duration patience,
            @DefaultValue("5m") Duration contentionPatience,
            @DefaultValue("20s") Duration stopTimeout) {

        Consumer {
            require(prefetch >= 1 && prefetch <= 65_535, "prefetch must be 1 to 65535, not " + prefetch);
            require(attempts >= 1, "attempts must be at least 1, not " + attempts);
            require(firstBackoff.compareTo(Duration.ZERO) > 0, "first-backoff must be positive, not " + firstBackoff);
            require(
                    longestBackoff.compareTo(firstBackoff) >= 0,
                    "longest-backoff is " + longestBackoff + ", below outbox.consumer.first-backoff of "
                            + firstBackoff);
            require(!patience.isNegative(), "patience must not be negative, but is " + patience);
            require(
                    !contentionPatience.isNegative(),
                    "contention-patience must not be negative, but is " + contentionPatience);
            require(!stopTimeout.isNegative(), "stop-timeout must not be negative, but is " + stopTimeout);
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new IllegalArgumentException("outbox.consumer." + otherwise);
            }
        }

        /** Without the address, which holds a password. */
        @Override
        public String toString() {
            return "Consumer[prefetch=" + prefetch + ", attempts=" + attempts + "]";
        }
    }
}
