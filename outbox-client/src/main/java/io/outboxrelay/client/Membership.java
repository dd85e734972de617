package io.outboxrelay.client;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which partitions of a queue this instance of a consumer is to consume: partition p is that of the live instance
 * number p modulo their number. Which instances are alive says the inbox's database, by its clock. Two instances may
 * disagree for a moment: the broker lets one consumer of a partition be active at a time, so the order does not depend
 * on it. Used by the consumer's own thread, except {@link #own}.
 */
final class Membership {

    /** Longer than a pause of a garbage collector, shorter than people wait for a queue to move. */
    static final Duration LEASE = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final InboxFailures database;
    private final List<String> queues;
    private final String consumer;
    private final String instance = "pid " + ProcessHandle.current().pid() + " " + UUID.randomUUID();
    private final FaultLog faults = new FaultLog(LOG);
    private volatile List<String> own = List.of();

    Membership(InboxFailures database, String consumer, List<String> queues) {
        this.database = database;
        this.consumer = consumer;
        this.queues = queues;
    }

    /**
     * Says that this instance is alive, and finds out which queues are its own. While the database is away, they stay
     * the same.
     */
    List<String> queues() {
        if (queues.size() == 1) {
            return queues;
        }
        try {
            List<String> mine = share(queues, database.alive(instance, LEASE), instance);
            faults.recovered("The consumer " + consumer + " shares its partitions again");
            if (!mine.equals(own)) {
                LOG.info(
                        "The consumer {} consumes {} of {} partitions: {}", consumer, mine.size(), queues.size(), mine);
            }
            own = mine;
        } catch (RuntimeException e) {
            faults.fault("The consumer " + consumer + " keeps its partitions, because its database is away", e);
        }
        return own;
    }

    /** The partitions that were this instance's last; none of a queue without partitions. Safe for many threads. */
    List<String> own() {
        return own;
    }

    /** Every n-th of them, from the place of this instance on; none if it is not among those alive. */
    static List<String> share(List<String> queues, List<String> alive, String instance) {
        int place = alive.indexOf(instance);
        if (place < 0) {
            return List.of();
        }
        return IntStream.range(0, queues.size())
                .filter(partition -> partition % alive.size() == place)
                .mapToObj(queues::get)
                .toList();
    }

    /** Says that this instance has ended, so that others need not wait for the end of its lease. */
    void leave() {
        own = List.of();
        if (queues.size() > 1) {
            try {
                database.left(instance);
            } catch (RuntimeException e) {
                LOG.debug("The consumer {} could not sign off; its lease ends by itself", consumer, e);
            }
        }
    }
}
