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
 * on it.
 *
 * <p>Heartbeats have a thread of their own. A pool whose connections are all in use, or a database that does not
 * answer, may keep it waiting for longer than the lease. The partitions stay the same meanwhile, and what the consumer
 * does at the broker does not wait. {@link #queues} and {@link #own} are safe for many threads.
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
    private volatile boolean known;

    Membership(InboxFailures database, String consumer, List<String> queues) {
        this.database = database;
        this.consumer = consumer;
        this.queues = queues;
    }

    /** Whether there is more than one queue to be shared, so that heartbeats are needed. */
    boolean isShared() {
        return queues.size() > 1;
    }

    /** Whether it is known which queues to consume, or that the database does not say. */
    boolean isKnown() {
        return known || !isShared();
    }

    /** The queues that were this instance's at its last heartbeat; none before the first. Asks nobody. */
    List<String> queues() {
        return isShared() ? own : queues;
    }

    /**
     * Says that this instance is alive, and finds out which queues are its own. While the database is away, they stay
     * the same.
     *
     * @return whether something is known that was not before
     */
    boolean beat() {
        boolean first = !known;
        try {
            List<String> mine = share(queues, database.alive(instance, LEASE), instance);
            faults.recovered("The consumer " + consumer + " shares its partitions again");
            if (mine.equals(own)) {
                return first;
            }
            LOG.info("The consumer {} consumes {} of {} partitions: {}", consumer, mine.size(), queues.size(), mine);
            own = mine;
            return true;
        } catch (RuntimeException e) {
            faults.fault("The consumer " + consumer + " keeps its partitions, because its database is away", e);
            return first;
        } finally {
            known = true;
        }
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
        try {
            database.left(instance);
        } catch (RuntimeException e) {
            LOG.debug("The consumer {} could not sign off; its lease ends by itself", consumer, e);
        }
    }
}
