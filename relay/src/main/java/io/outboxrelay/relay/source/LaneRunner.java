package io.outboxrelay.relay.source;

import io.outboxrelay.relay.lane.Backoff;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher.Silence;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of one owned lane: runs cycles until it is stopped or the lease is gone, and waits when there is no event.
 */
final class LaneRunner {

    private static final Logger LOG = LoggerFactory.getLogger(LaneRunner.class);

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

    /** Whatever gives an idle lane something to do calls it; this is for a case that nobody has thought of. */
    private static final Duration LONGEST_IDLENESS = Duration.ofSeconds(10);

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final String source;
    private final Lease lease;
    private final Lane lane;
    private final RabbitPublisher publisher;
    private final Lookout lookout;
    private final Consumer<LaneRunner> ended;
    private final Complaints complaints;
    private final Thread thread;
    private final RandomGenerator random = RandomGenerator.getDefault();
    private volatile long floor;
    private volatile boolean stopping;
    private int failures;

    /**
     * @param source name of the source
     * @param lease the right to publish the lane
     * @param lane its core
     * @param publisher closed when the runner ends
     * @param lookout where to wait for events
     * @param ended called on this thread after the last cycle, when nothing is in flight any more
     */
    LaneRunner(
            String source,
            Lease lease,
            Lane lane,
            RabbitPublisher publisher,
            Lookout lookout,
            Consumer<LaneRunner> ended) {
        this.source = source;
        this.lease = lease;
        this.lane = lane;
        this.publisher = publisher;
        this.lookout = lookout;
        this.ended = ended;
        this.complaints = new Complaints(LOG, Help.DATABASE, lease + ": a cycle", "its events are claimed again");
        this.thread = new Thread(this::run, source + "-lane-" + lease.lane());
    }

    void start() {
        thread.start();
    }

    /** Ends the thread after the current cycle, which publishes nothing more and settles what is in flight. */
    void stop() {
        stopping = true;
        lane.drain();
        lookout.call(lease.lane());
    }

    /** Ends the wait of a lane without events: it may have something else to do. */
    void call() {
        lookout.call(lease.lane());
    }

    /** Ends a cycle that takes too long; its events in flight will be published again. */
    void interrupt() {
        thread.interrupt();
    }

    void join(Duration atMost) throws InterruptedException {
        thread.join(Math.max(1, atMost.toMillis()));
    }

    Lease lease() {
        return lease;
    }

    boolean isStopping() {
        return stopping;
    }

    /** The lane's floor after its last cycle. */
    long floor() {
        return floor;
    }

    /** Why the last cycle failed, or why this lane cannot publish although others can; null when neither is so. */
    @Nullable
    String trouble() {
        String failed = complaints.current();
        return failed == null ? publisher.trouble() : failed;
    }

    /** The events of the lane that the broker has not answered in time; null when there are none. */
    @Nullable
    Silence silence() {
        return publisher.silence();
    }

    private void run() {
        LogKeys.thisThreadServes(source, lease.lane());
        try {
            while (!stopping) {
                int settled = cycle();
                if (failures > 0) {
                    lookout.pause(lease.lane(), BACKOFF.after(failures, random));
                } else if (settled == 0 && !stopping) {
                    lookout.await(lease.lane(), lane.floor(), lane.isIdle() ? LONGEST_IDLENESS : LONGEST_WAIT);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("{}: interrupted in the middle of a cycle", lease);
        } finally {
            publisher.close();
            ended.accept(this);
        }
    }

    private int cycle() throws InterruptedException {
        try {
            int settled = lane.cycle();
            floor = lane.floor();
            complaints.succeeded();
            failures = 0;
            if (settled > 0) {
                lookout.busy();
            }
            return settled;
        } catch (RuntimeException e) {
            complaints.failed(e);
            failures++;
            return 0;
        }
    }
}
