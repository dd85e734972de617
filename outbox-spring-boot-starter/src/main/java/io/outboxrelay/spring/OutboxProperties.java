package io.outboxrelay.spring;

import io.outboxrelay.schema.OutboxSchema;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application can say about its outbox, its inbox and its consumers.
 *
 * @param dataSource Name of the DataSource bean whose database has the tables. Needed if there are several and none is
 *     primary.
 * @param transactionManager Name of the PlatformTransactionManager bean that works on this DataSource. Needed by the
 *     inbox if there are several and none is primary.
 * @param schema the tables
 * @param inbox the inbox
 * @param consumer the settings of all consumers
 * @param metrics the meters
 */
@ConfigurationProperties("outbox")
record OutboxProperties(
        @Nullable String dataSource,
        @Nullable String transactionManager,
        @DefaultValue Schema schema,
        @DefaultValue Inbox inbox,
        @DefaultValue Consumer consumer,
        @DefaultValue Metrics metrics) {

    /**
     * The tables.
     *
     * @param name Database schema that contains the outbox and inbox tables.
     * @param install Install or upgrade the tables when the application starts.
     * @param lanes Number of lanes of a new installation, 1 to 1024; default 8. An existing installation keeps its
     *     number.
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
     * @param purge deletion of old entries
     */
    record Inbox(@DefaultValue Purge purge) {}

    /**
     * Deletion of old entries.
     *
     * @param olderThan Inbox entries older than this are deleted; must be at least the floor. Unset: never.
     * @param every Time between two purges.
     * @param floor Minimum age of deleted entries, because an event may be redelivered or replayed until then.
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
     * The meters.
     *
     * @param backlog Measure backlog and lag of the outbox. The relay measures them too, at less cost.
     * @param every Time between two looks at the outbox, for its backlog and lag. The meters show the last look.
     */
    record Metrics(
            @DefaultValue("false") boolean backlog,
            @DefaultValue("30s") Duration every) {

        Metrics {
            if (every.isNegative() || every.isZero()) {
                throw new IllegalArgumentException("outbox.metrics.every must be positive, not " + every);
            }
        }
    }

    /**
     * The settings of all consumers. The defaults are those of {@code IdempotentConsumer}.
     *
     * @param start Start the consumers that are beans when the application is ready.
     * @param uri Address of the broker with user and password, amqp://user:password@host:5672/virtual-host, or amqps:
     *     for TLS, which verifies the broker with the runtime's trust store. Unset: with spring-boot-starter-amqp the
     *     broker of spring.rabbitmq.*. Ignored if the application has a bean of type
     *     com.rabbitmq.client.ConnectionFactory.
     * @param prefetch Maximum number of unacknowledged deliveries per consumer, 1 to 65535.
     * @param attempts Attempts of a handler before the event goes to the dead-letter exchange, at least 1.
     * @param firstBackoff Maximum wait after the first failed attempt; doubles with each attempt.
     * @param longestBackoff Maximum wait between two attempts.
     * @param patience How long a consumer keeps an event while the database is unreachable, before it returns the event
     *     to the queue.
     * @param contentionPatience How long deadlocks, lock timeouts and serialization failures of one event do not count
     *     as attempts, from the first one on.
     * @param stopTimeout How long a stopping consumer waits for the current event.
     */
    record Consumer(
            @DefaultValue("true") boolean start,
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

        /** Without the address, which contains a password. */
        @Override
        public String toString() {
            return "Consumer[prefetch=" + prefetch + ", attempts=" + attempts + "]";
        }
    }
}
