package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One lane and its cycle: claim, publish, settle. The lane's thread calls all methods but {@link #drain()}. A crash at
 * any point leaves every event in the outbox that was not confirmed, and perhaps some that were; the next owner
 * publishes these again, under the same ids.
 */
public final class Lane {

    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

    private final Lease lease;
    private final LaneStore store;
    private final Publisher publisher;
    private final LongSupplier nanoTime;
    private final LaneSettings settings;
    private final FailurePolicy policy;
    private final Drops drops;
    private final RandomGenerator random;

    private final InFlight inFlight;
    private final FailureQueue failures;
    private final Unanswered unanswered;

    /** Confirmed events whose DELETE is not known to have succeeded. */
    private List<Event> unsettled = List.of();

    /** The life of the server to which {@link #floor} and {@link #failures} belong. */
    private Incarnation incarnation = Incarnation.UNKNOWN;

    private long floor;
    private boolean idle;
    private volatile boolean draining;

    /**
     * @param lease the right to publish this lane
     * @param store where its events are
     * @param publisher where they go
     * @param nanoTime clock for deadlines and waits
     * @param settings its bounds
     * @param policy what follows when an event fails
     * @param drops counts and reports dropped events, for all lanes of the source
     * @param pauses what people have paused; null as long as it is not known
     * @param random jitter of the waits
     */
    public Lane(
            Lease lease,
            LaneStore store,
            Publisher publisher,
            LongSupplier nanoTime,
            LaneSettings settings,
            FailurePolicy policy,
            Drops drops,
            Supplier<@Nullable ByRoute<Boolean>> pauses,
            RandomGenerator random) {
        this.lease = lease;
        this.store = store;
        this.publisher = publisher;
        this.nanoTime = nanoTime;
        this.settings = settings;
        this.policy = policy;
        this.drops = drops;
        this.random = random;
        Window window = new Window(settings.windowEvents(), settings.windowBytes(), settings.confirmDeadline());
        this.inFlight = new InFlight(publisher, nanoTime, window, settings.confirmDeadline());
        this.failures = new FailureQueue(lease, store, nanoTime, settings, pauses);
        this.unanswered = new Unanswered(policy.firstBackoff(), random);
    }

    /** Position below which no event can appear any more: claims begin here. */
    public long floor() {
        return floor;
    }

    /**
     * Whether the last cycle has found nothing to do. Another one has something to do only after an event was written,
     * a failure is due, the pauses have changed, or {@link LaneStore#closed} has, so that it can raise the floor.
     */
    public boolean isIdle() {
        return idle;
    }

    /** Makes the current cycle publish nothing more; what is in flight is still answered and settled. */
    public void drain() {
        draining = true;
    }

    /**
     * Claims events, publishes them, deletes the confirmed ones, and moves those that failed to the failures.
     *
     * @return how many events were settled
     * @throws InterruptedException when the thread is to stop; events in flight will be published again
     */
    public int cycle() throws InterruptedException {
        idle = false;
        int settled = finishLastCycle();
        if (!mayPublish() || failures.isPaused() || !knowsFailures()) {
            return settled;
        }
        Batch batch = new Batch(settings.eventsPerAggregate(), settings.windowEvents());
        OptionalLong seen = claim(batch);
        if (seen.isEmpty()) {
            return settled;
        }
        publish(batch);
        unsettled = batch.confirmed();
        settled += settle();
        Changes changes = batch.changes();
        if (!failures.keep(incarnation, changes)) {
            return settled;
        }
        inFlight.forget(changes.kept());
        floor = Math.max(floor, Math.min(seen.getAsLong(), batch.firstLeftBehind() - 1));
        idle = batch.isEmpty() && unanswered.waiting(nanoTime.getAsLong()).isEmpty();
        return settled + changes.published().size() + changes.followers().size();
    }

    /** Nothing is left of the last cycle, unless it ended by an exception. */
    private int finishLastCycle() {
        inFlight.abandon();
        failures.report();
        int settled = settle();
        inFlight.chooseConnection();
        return settled;
    }

    private boolean mayPublish() {
        // The publisher first: it may open a channel, and meanwhile the lease may expire.
        return !draining && publisher.ready() && lease.trusted(nanoTime.getAsLong());
    }

    private boolean knowsFailures() {
        Optional<Incarnation> current = failures.read();
        if (current.isPresent() && !current.get().continues(incarnation)) {
            incarnation = current.get();
            floor = 0;
        }
        return current.isPresent();
    }

    /**
     * Reads events into a batch. Nothing of it may be published when another relay owns the lane, or when the server
     * has started another life: then it may have lost commits on which this cycle relies.
     *
     * @return the position up to which everything is closed and was read; empty when nothing may be published
     */
    private OptionalLong claim(Batch batch) {
        List<Aggregate> waiting = unanswered.waiting(nanoTime.getAsLong());
        LaneStore.Closed known = store.closed(); // before the claim
        long closed = known.incarnation().continues(incarnation) ? known.position() : 0;
        if (closed < floor) {
            floor = 0;
        }
        failures.addDue(batch, waiting);
        OptionalLong seen = read(batch, waiting);
        if (seen.isPresent() && batch.isEmpty() && waiting.isEmpty()) {
            inFlight.clearSuspects();
        }
        return seen.isEmpty() || waiting.isEmpty()
                ? seen.stream().map(position -> Math.min(position, closed)).findFirst()
                : OptionalLong.of(floor);
    }

    /** Returns the position up to which the claims saw every visible event. */
    private OptionalLong read(Batch batch, List<Aggregate> waiting) {
        Claimed first = claim(waiting);
        if (first == null) {
            return OptionalLong.empty();
        }
        Set<Aggregate> hot = first.exhausted() ? Set.of() : hot(first.events());
        if (hot.isEmpty()) {
            batch.add(first.events(), failures.blocked());
            if (!first.exhausted()) {
                batch.thereIsMore();
            }
            return OptionalLong.of(first.seen());
        }
        // The hot aggregates fill the head of the lane: take a few events of each and read once more, for the others,
        // again from the floor. All events of an aggregate must come from one snapshot: a second one may show an event
        // together with an earlier one that the first snapshot did not show.
        batch.add(
                first.events().stream()
                        .filter(event -> hot.contains(event.aggregate()))
                        .toList(),
                failures.blocked());
        Claimed others = claim(Stream.concat(waiting.stream(), hot.stream()).toList());
        if (others == null) {
            return OptionalLong.empty();
        }
        batch.add(others.events(), failures.blocked());
        if (!others.exhausted()) {
            batch.thereIsMore();
        }
        return OptionalLong.of(Math.min(first.seen(), others.seen()));
    }

    private @Nullable Claimed claim(List<Aggregate> without) {
        Optional<Claimed> claimed =
                store.claim(new Claim(lease.owned(), floor, settings.batchEvents(), settings.batchBytes(), without));
        if (claimed.isPresent() && !claimed.get().incarnation().continues(incarnation)) {
            floor = 0;
            failures.forget();
            return null;
        }
        return claimed.orElse(null);
    }

    private Set<Aggregate> hot(List<Event> events) {
        Map<Aggregate, Integer> counts = new HashMap<>();
        events.forEach(event -> counts.merge(event.aggregate(), 1, Integer::sum));
        counts.values().removeIf(count -> count <= settings.eventsPerAggregate());
        return counts.keySet();
    }

    private void publish(Batch batch) throws InterruptedException {
        while (!inFlight.isEmpty() || mayPublish(batch)) {
            while (mayPublish(batch) && inFlight.hasRoomFor(batch.peek())) {
                publish(batch, batch.next());
            }
            inFlight.awaitAnswers((event, outcome) -> accept(batch, event, outcome));
        }
        batch.leaveUnsent();
    }

    private boolean mayPublish(Batch batch) {
        return batch.hasSendable() && !batch.isThin() && mayPublish();
    }

    private void publish(Batch batch, Event event) {
        if (event.unreadable() == null && failures.isPaused(event)) {
            batch.failed(FailurePolicy.pause(event));
        } else {
            inFlight.publish(event, (answered, outcome) -> accept(batch, answered, outcome));
        }
    }

    private void accept(Batch batch, Event event, Outcome outcome) {
        if (outcome instanceof Outcome.Confirmed) {
            if (policy.mayDrop(event)) {
                drops.confirmed(event);
            }
            batch.done(event);
        } else if (outcome instanceof Outcome.NotPublished failure) {
            failed(batch, event, failure);
        } else {
            batch.unanswered(event);
            unanswered.add(event.aggregate(), nanoTime.getAsLong());
        }
    }

    private void failed(Batch batch, Event event, Outcome.NotPublished failure) {
        if (policy.drops(event, failure)) {
            drops.dropped(lease, event, failure);
            batch.done(event);
        } else {
            FailurePolicy.Failed kept = policy.keep(event, failure, random);
            LOG.debug("{}: {} is kept: {}", lease, event, kept);
            batch.failed(kept);
        }
    }

    private int settle() {
        if (unsettled.isEmpty()) {
            return 0;
        }
        int settled = store.settle(lease.owned(), incarnation, unsettled);
        if (settled < unsettled.size()) {
            LOG.warn(
                    Help.ALREADY_DELETED,
                    "{}: confirmed events that were no longer in the outbox: {} of {}; an earlier attempt deleted"
                            + " them and its answer was lost, or another relay published them too",
                    lease,
                    unsettled.size() - settled,
                    unsettled.size());
        }
        unsettled = List.of();
        return settled;
    }

    /**
     * Bounds of one lane's cycle.
     *
     * @param batchEvents maximum number of events that one claim reads
     * @param batchBytes maximum of payload bytes that one claim reads; one event is read even if it has more
     * @param eventsPerAggregate maximum number of events of one aggregate that one cycle publishes
     * @param windowEvents maximum number of events in flight: published and not answered
     * @param windowBytes maximum of payload bytes in flight
     * @param maxEventBytes an event with a larger payload is refused without reading the payload
     * @param confirmDeadline maximum time in which the broker must answer an event
     */
    public record LaneSettings(
            int batchEvents,
            long batchBytes,
            int eventsPerAggregate,
            int windowEvents,
            long windowBytes,
            int maxEventBytes,
            Duration confirmDeadline) {}
}
