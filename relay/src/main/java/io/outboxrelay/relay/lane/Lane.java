package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.Publisher.Answer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One lane and its cycle: claim, publish, settle. All methods but {@link #drain()} are called by the lane's thread. A
 * crash at any point leaves the outbox with every event that was not confirmed and perhaps some that were; the next
 * owner publishes these again, under the same ids.
 */
public final class Lane {

    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
    private static final Duration BETWEEN_LOOKS_AT_FAILURES = Duration.ofSeconds(1);
    private static final Duration BETWEEN_READS_OF_BLOCKED = Duration.ofMinutes(1);
    private static final ByRoute<Boolean> NOTHING_KNOWN = ByRoute.always(true);

    private final LaneStore store;
    private final Publisher publisher;
    private final Clock clock;
    private final Lease lease;
    private final LaneSettings settings;
    private final FailurePolicy policy;
    private final Drops drops;
    private final Supplier<@Nullable ByRoute<Boolean>> pauses;
    private final RandomGenerator random;
    private final Unanswered unanswered;
    private final Suspects suspects = new Suspects();

    private final Window inFlight;
    private final ParkedReport parkedReport;
    private List<Event> unsettled = List.of();

    /** The life of the server to which {@link #floor} and {@link #blocked} belong. */
    private Incarnation incarnation = Incarnation.UNKNOWN;

    private long floor;

    /** Aggregates whose events must queue behind failures; null as long as they were not read. May hold more, never fewer. */
    private @Nullable Set<Aggregate> blocked;

    private ByRoute<Boolean> paused = NOTHING_KNOWN;
    private boolean resuming;
    private long blockedReadAt;
    private long dueLookedAt;
    private volatile boolean draining;

    /**
     * @param lease the right to publish this lane
     * @param store where its events are
     * @param publisher where they go
     * @param clock time for deadlines and waits
     * @param settings its bounds
     * @param policy what follows when an event fails
     * @param drops where it is noted that events are dropped; that of all lanes of the source
     * @param pauses what people have paused; null as long as it is not known
     * @param random jitter of the waits
     */
    public Lane(
            Lease lease,
            LaneStore store,
            Publisher publisher,
            Clock clock,
            LaneSettings settings,
            FailurePolicy policy,
            Drops drops,
            Supplier<@Nullable ByRoute<Boolean>> pauses,
            RandomGenerator random) {
        this.lease = lease;
        this.store = store;
        this.publisher = publisher;
        this.clock = clock;
        this.settings = settings;
        this.policy = policy;
        this.drops = drops;
        this.pauses = pauses;
        this.random = random;
        this.unanswered = new Unanswered(policy.firstBackoff(), random);
        this.inFlight = new Window(settings.windowEvents(), settings.windowBytes(), settings.confirmDeadline());
        this.parkedReport = new ParkedReport(lease, clock);
    }

    /** Position below which no event can appear any more: what may be there is claimed from here on. */
    public long floor() {
        return floor;
    }

    /** Makes the cycle that is running publish nothing more; what is in flight is still answered and settled. */
    public void drain() {
        draining = true;
    }

    /**
     * Claims events, publishes them, deletes those that were confirmed, and puts those that failed among the failures.
     *
     * @return how many events were settled
     * @throws InterruptedException when the thread is to stop; what was in flight will be published again
     */
    public int cycle() throws InterruptedException {
        forgetInFlight();
        parkedReport.tell();
        int settled = settle();
        publisher.apart(suspects.closeConnections());
        if (!mayPublish() || isPaused()) {
            return settled;
        }
        List<Aggregate> waiting = unanswered.waiting(clock.nanoTime());
        Batch batch = new Batch(settings.eventsPerAggregate());
        if (!learnBlocked()) {
            return settled;
        }
        Set<Aggregate> behindFailures = Objects.requireNonNull(blocked);
        LaneStore.Closed known = store.closed();
        long closed = known.incarnation().continues(incarnation) ? known.position() : 0;
        addDue(batch, behindFailures, waiting);
        OptionalLong seen = claim(batch, behindFailures, waiting);
        if (seen.isEmpty()) {
            return settled;
        }
        if (batch.isEmpty() && waiting.isEmpty()) {
            suspects.clear(); // whoever they were, they are gone
        }
        publish(batch);
        unsettled = batch.confirmed();
        settled += settle();
        Changes changes = batch.changes();
        if (keep(changes)) {
            settled += changes.published().size() + changes.followers().size();
            raiseFloor(waiting.isEmpty() ? Math.min(closed, seen.getAsLong()) : floor, batch, closed);
        }
        return settled;
    }

    /** Returns whether the whole source is paused, or nothing is known of that yet. */
    private boolean isPaused() {
        ByRoute<Boolean> now = pauses.get();
        if (now != null && !now.equals(paused)) {
            paused = now;
            resuming = true;
        }
        if (resuming) {
            resuming = store.resume(lease.owned()) > 0;
        }
        return paused.otherwise();
    }

    /**
     * Reads who is blocked: once, and then now and then, since people discard what others wait for. Returns false when the
     * lane is somebody else's by now.
     */
    private boolean learnBlocked() {
        long now = clock.nanoTime();
        if (blocked == null || !blocked.isEmpty() && now - blockedReadAt >= BETWEEN_READS_OF_BLOCKED.toNanos()) {
            blocked = null;
            store.blocked(lease.owned()).ifPresent(read -> {
                remembersOf(read.incarnation());
                blocked = new HashSet<>(read.aggregates());
            });
            blockedReadAt = now;
        }
        return blocked != null;
    }

    /**
     * Returns whether what is remembered holds in this life of the server. Otherwise all of it is forgotten: what was
     * committed last may be undone, so that events are back below the floor and free whose aggregate is not blocked any more.
     */
    private boolean remembersOf(Incarnation current) {
        if (current.continues(incarnation)) {
            return true;
        }
        incarnation = current;
        floor = 0;
        blocked = null;
        return false;
    }

    /** Failures whose backoff is over. Nothing is known of those that a person wants tried again: a look tells. */
    private void addDue(Batch batch, Set<Aggregate> behindFailures, List<Aggregate> waiting) {
        long now = clock.nanoTime();
        if (behindFailures.isEmpty() && now - dueLookedAt < BETWEEN_LOOKS_AT_FAILURES.toNanos()) {
            return;
        }
        dueLookedAt = now;
        store
                .due(new Due(
                        lease.lane(), settings.batchEvents(), settings.batchBytes(), settings.eventsPerAggregate()))
                .stream()
                .filter(event -> !waiting.contains(event.aggregate()))
                .forEach(event -> {
                    behindFailures.add(event.aggregate());
                    batch.add(event);
                });
    }

    /**
     * Reads a batch and returns the position up to which everything visible was seen; empty when nothing of the batch may be
     * published, since the lane is somebody else's by now or the server has lost what this cycle relies on.
     */
    private OptionalLong claim(Batch batch, Set<Aggregate> behindFailures, List<Aggregate> waiting) {
        long seen = Long.MAX_VALUE;
        Claimed claimed = claim(waiting);
        if (claimed == null) {
            return OptionalLong.empty();
        }
        Set<Aggregate> hot = claimed.exhausted() ? Set.of() : hot(claimed.events());
        if (!hot.isEmpty()) {
            // They fill the head of the lane: take a few of theirs and read once more, for the others. From the floor
            // again, for each aggregate must come from one snapshot: in a second one, an event further behind may be
            // visible together with one that the first was too early for.
            batch.add(
                    claimed.events().stream()
                            .filter(event -> hot.contains(event.aggregate()))
                            .toList(),
                    behindFailures);
            // Of what is read twice only the first read tells how far the hot ones are known.
            seen = last(claimed.events()).position();
            claimed = claim(Stream.concat(waiting.stream(), hot.stream()).toList());
            if (claimed == null) {
                return OptionalLong.empty();
            }
        }
        batch.add(claimed.events(), behindFailures);
        return OptionalLong.of(
                claimed.exhausted()
                        ? seen
                        : Math.min(seen, last(claimed.events()).position()));
    }

    private @Nullable Claimed claim(List<Aggregate> without) {
        return store.claim(new Claim(lease.owned(), floor, settings.batchEvents(), settings.batchBytes(), without))
                .filter(claimed -> remembersOf(claimed.incarnation()))
                .orElse(null);
    }

    private Set<Aggregate> hot(List<Event> events) {
        Map<Aggregate, Integer> counts = new HashMap<>();
        events.forEach(event -> counts.merge(event.aggregate(), 1, Integer::sum));
        counts.values().removeIf(count -> count <= settings.eventsPerAggregate());
        return counts.keySet();
    }

    private void publish(Batch batch) throws InterruptedException {
        while (!inFlight.isEmpty() || batch.hasSendable() && mayPublish()) {
            while (batch.hasSendable() && inFlight.hasRoomFor(batch.peek(), suspects) && mayPublish()) {
                publish(batch, batch.next());
            }
            publisher.flush();
            if (!inFlight.isEmpty()) {
                publisher.answers(inFlight.untilDeadline(clock.nanoTime())).forEach(answer -> accept(batch, answer));
                giveUpAfterDeadline(batch);
            }
        }
    }

    private void publish(Batch batch, Event event) {
        if (event.unreadable() != null) {
            failed(batch, event, new Outcome.Refused(Reason.UNREADABLE, event.unreadable()));
            return;
        }
        if (paused.of(event)) {
            batch.failed(FailurePolicy.pause(event));
            return;
        }
        inFlight.add(event, clock.nanoTime());
        publisher.publish(event);
    }

    private void accept(Batch batch, Answer answer) {
        Event event = answer.event();
        inFlight.remove(event);
        Outcome outcome = suspects.judge(event, answer.outcome());
        if (outcome instanceof Outcome.Confirmed) {
            if (policy.mayDrop(event)) {
                drops.confirmed(event);
            }
            batch.done(event);
        } else if (outcome instanceof Outcome.Failure failure) {
            failed(batch, event, failure);
        } else {
            batch.unanswered(event);
            unanswered.add(event.aggregate(), clock.nanoTime());
        }
    }

    private void failed(Batch batch, Event event, Outcome.Failure failure) {
        if (policy.drops(event, failure)) {
            drops.dropped(lease, event, failure);
            batch.done(event);
            return;
        }
        Failed kept = policy.keep(event, failure, random);
        LOG.debug("{}: {} is kept: {}", lease, event, kept);
        batch.failed(kept);
    }

    private void giveUpAfterDeadline(Batch batch) {
        for (Event event : inFlight.late(clock.nanoTime())) {
            publisher.forget(event);
            accept(batch, new Answer(event, new Outcome.Unconfirmed("no answer within " + settings.confirmDeadline())));
        }
    }

    /** Nothing is in flight between two cycles, unless the last one ended by an exception. */
    private void forgetInFlight() {
        inFlight.clear().forEach(publisher::forget);
    }

    /** Writes what is to be kept among the failures. Returns false when the lane is somebody else's by now. */
    private boolean keep(Changes changes) {
        if (changes.isEmpty()) {
            return true;
        }
        Set<Aggregate> behindFailures = Objects.requireNonNull(blocked);
        blocked = null; // until it is known what was written
        Optional<Set<Aggregate>> free = store.keep(lease.owned(), incarnation, changes);
        if (free.isEmpty()) {
            LOG.warn(
                    "{}: another relay owns the lane now, or the database was started again: the {} events that failed here are"
                            + " claimed again",
                    lease,
                    changes.failed().size());
            return false;
        }
        changes.failed().forEach(failed -> {
            behindFailures.add(failed.event().aggregate());
            suspects.forget(failed.event());
        });
        changes.followers().forEach(suspects::forget);
        behindFailures.removeAll(free.get());
        blocked = behindFailures;
        changes.failed().stream().filter(Failed::isNewlyParked).forEach(parkedReport::add);
        parkedReport.published(changes.published().stream()
                .filter(event -> Objects.requireNonNull(event.kept()).parked())
                .count());
        return true;
    }

    private int settle() {
        if (unsettled.isEmpty()) {
            return 0;
        }
        int settled = store.settle(lease.owned(), incarnation, unsettled);
        if (settled < unsettled.size()) {
            LOG.warn(
                    "{}: of {} confirmed events {} had left the outbox already: deleted by an attempt whose answer was lost, or"
                            + " published by another relay as well",
                    lease,
                    unsettled.size(),
                    unsettled.size() - settled);
        }
        unsettled = List.of();
        return settled;
    }

    private void raiseFloor(long seen, Batch batch, long closed) {
        floor = closed < floor ? 0 : Math.max(floor, Math.min(seen, batch.firstLeftBehind() - 1));
    }

    private boolean mayPublish() {
        // The publisher first: it may open a channel, and the lease run out meanwhile.
        return !draining && publisher.ready() && lease.trusted(clock.nanoTime());
    }

    private static Event last(List<Event> events) {
        return events.get(events.size() - 1);
    }
}
