package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.schema.OutboxSchema;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

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
     * @param storedEvents Count the events that consumers have stored in the table inbox_failure, for meters and
     *     health.
     * @param every Interval between two queries for backlog, lag and stored events. Meters and health show the last
     *     look.
     */
    record Metrics(
            @DefaultValue("false") boolean backlog,
            @DefaultValue("true") boolean storedEvents,
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
     * @param concurrency Workers of each consumer, 1 to 1000: each handles other aggregates, with a thread and a
     *     database connection of its own.
     * @param batch Maximum number of events that a worker handles in one transaction, 1 to 10000. Unset: 100, or the
     *     prefetch if that is less.
     * @param prefetch Maximum number of unacknowledged deliveries per consumer and queue, 1 to 65535. Unset: four
     *     batches for each worker, 100 to 5000.
     * @param prefetchBytes Maximum size of the payloads that wait in memory per consumer and queue; with more, the
     *     consumer lowers its prefetch.
     * @param onGiveUp What becomes of an event that is given up: park (stored in the table inbox_failure, where later
     *     events of its aggregate wait behind it) or dead-letter (moved to the dead-letter queue; later events do not
     *     wait).
     * @param attempts Attempts of a handler before the event is given up, at least 1.
     * @param firstBackoff Maximum wait after the first failed attempt; doubles with each attempt.
     * @param longestBackoff Maximum wait between two attempts.
     * @param patience How long a consumer keeps an event while the database is unreachable, before it returns the event
     *     to the queue.
     * @param contentionPatience How long deadlocks, lock timeouts and serialization failures of one event do not count
     *     as attempts, from the first one on.
     * @param stopTimeout How long a stopping consumer waits for the events in work.
     */
    record Consumer(
            @DefaultValue("true") boolean start,
            @Nullable String uri,
            @DefaultValue("1") int concurrency,
            @Nullable Integer batch,
            @Nullable Integer prefetch,
            @DefaultValue("64MB") DataSize prefetchBytes,
            @DefaultValue("park") GiveUp onGiveUp,
            @DefaultValue("5") int attempts,
            @DefaultValue("200ms") Duration firstBackoff,
            @DefaultValue("10s") Duration longestBackoff,
            @DefaultValue("20s") Duration patience,
            @DefaultValue("5m") Duration contentionPatience,
            @DefaultValue("20s") Duration stopTimeout) {

        Consumer {
            Faults faults = new Faults();
            faults.unless(
                    concurrency >= 1 && concurrency <= 1_000, "concurrency must be 1 to 1000, not " + concurrency);
            faults.unless(batch == null || batch >= 1 && batch <= 10_000, "batch must be 1 to 10000, not " + batch);
            faults.unless(
                    prefetch == null || prefetch >= 1 && prefetch <= 65_535,
                    "prefetch must be 1 to 65535, not " + prefetch);
            faults.unless(
                    batch == null || prefetch == null || batch <= prefetch,
                    "batch is " + batch + ", above outbox.consumer.prefetch of " + prefetch
                            + ": raise the prefetch, or leave it out");
            faults.unless(prefetchBytes.toBytes() >= 1, "prefetch-bytes must be at least 1B, not " + prefetchBytes);
            faults.unless(attempts >= 1, "attempts must be at least 1, not " + attempts);
            faults.unless(
                    firstBackoff.compareTo(Duration.ZERO) > 0, "first-backoff must be positive, not " + firstBackoff);
            faults.unless(
                    longestBackoff.compareTo(firstBackoff) >= 0,
                    "longest-backoff is " + longestBackoff + ", below outbox.consumer.first-backoff of "
                            + firstBackoff);
            faults.unless(!patience.isNegative(), "patience must not be negative, but is " + patience);
            faults.unless(
                    !contentionPatience.isNegative(),
                    "contention-patience must not be negative, but is " + contentionPatience);
            faults.unless(!stopTimeout.isNegative(), "stop-timeout must not be negative, but is " + stopTimeout);
            faults.throwIfAny();
        }

        /** Without the address, which contains a password. */
        @Override
        public String toString() {
            return "Consumer[concurrency=" + concurrency + ", batch=" + batch + ", prefetch=" + prefetch + ", attempts="
                    + attempts + "]";
        }
    }

    /** What is wrong with the settings of consumers, to be said all at once. */
    private static final class Faults {

        private final List<String> found = new ArrayList<>();

        void unless(boolean holds, String fault) {
            if (!holds) {
                found.add("outbox.consumer." + fault);
            }
        }

        void throwIfAny() {
            if (!found.isEmpty()) {
                throw new IllegalArgumentException(String.join("; ", found));
            }
        }
    }
}
