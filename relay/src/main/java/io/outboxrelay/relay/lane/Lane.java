package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.Publisher.Answer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One lane and its cycle: claim, publish, settle. All methods but {@link #drain()} are called by the lane's thread. A
 * crash at any point leaves the outbox with every event that was not confirmed and perhaps some that were; the next
 * owner publishes these again, under the same ids.
 */
public final class Lane {

    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

    private final LaneStore store;
    private final Publisher publisher;
    private final Clock clock;
    private final Lease lease;
    private final LaneSettings settings;
    private final Backoffs backoffs;

    /** Published and unanswered events with the time of their publishing, oldest first. */
    private final Map<Event, Long> inFlight = new LinkedHashMap<>();

    private long bytesInFlight;
    private List<Event> unsettled = List.of();
    private long floor;
    private boolean tooManyWait;
    private volatile boolean draining;

    /**
     * @param lease the right to publish this lane
     * @param store where its events are
     * @param publisher where they go
     * @param clock time for deadlines and waits
     * @param settings its bounds
     * @param random jitter of the waits
     */
    public Lane(
            Lease lease,
            LaneStore store,
            Publisher publisher,
            Clock clock,
            LaneSettings settings,
            RandomGenerator random) {
        this.lease = lease;
        this.store = store;
        this.publisher = publisher;
        this.clock = clock;
        this.settings = settings;
        this.backoffs = new Backoffs(settings.firstBackoff(), settings.longestBackoff(), random);
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
     * Claims events, publishes them, and deletes those that were confirmed.
     *
     * @return how many events were settled
     * @throws InterruptedException when the thread is to stop; what was in flight will be published again
     */
    public int cycle() throws InterruptedException {
        forgetInFlight();
        int settled = settle();
        if (!mayPublish()) {
            return settled;
        }
        List<Aggregate> waiting = backoffs.waiting(clock.nanoTime());
        if (waiting.size() >= Backoffs.MOST) {
            tellThatTooManyWait(waiting.size());
            return settled;
        }
        tooManyWait = false;
        long closed = store.closed();
        Batch batch = new Batch(settings.eventsPerAggregate());
        long seen = claim(batch, waiting);
        publish(batch);
        unsettled = batch.confirmed();
        settled += settle();
        raiseFloor(waiting.isEmpty() ? Math.min(closed, seen) : floor, batch, closed);
        return settled;
    }

    /** Reads a batch and returns the position up to which everything visible was seen. */
    private long claim(Batch batch, List<Aggregate> waiting) {
        Claimed claimed = claim(waiting);
        Set<Aggregate> hot = claimed.exhausted() ? Set.of() : hot(claimed.events());
        if (!hot.isEmpty()) {
            // They fill the head of the lane: take a few of theirs and read once more, for the others. From the floor
            // again, for each aggregate must come from one snapshot: in a second one, an event further behind may be
            // visible together with one that the first was too early for.
            batch.add(claimed.events().stream()
                    .filter(event -> hot.contains(event.aggregate()))
                    .toList());
            claimed = claim(Stream.concat(waiting.stream(), hot.stream()).toList());
        }
        batch.add(claimed.events());
        return claimed.exhausted() ? Long.MAX_VALUE : last(claimed.events()).position();
    }

    private Claimed claim(List<Aggregate> without) {
        return store.claim(new Claim(lease.lane(), floor, settings.batchEvents(), settings.batchBytes(), without));
    }

    private Set<Aggregate> hot(List<Event> events) {
        Map<Aggregate, Integer> counts = new HashMap<>();
        events.forEach(event -> counts.merge(event.aggregate(), 1, Integer::sum));
        counts.values().removeIf(count -> count <= settings.eventsPerAggregate());
        return counts.keySet();
    }

    private void publish(Batch batch) throws InterruptedException {
        while (!inFlight.isEmpty() || batch.hasSendable() && mayPublish()) {
            while (batch.hasSendable() && windowHasRoomFor(batch.peek()) && mayPublish()) {
                publish(batch.next());
            }
            publisher.flush();
            if (!inFlight.isEmpty()) {
                publisher.answers(untilDeadline()).forEach(answer -> accept(batch, answer));
                giveUpAfterDeadline(batch);
            }
        }
    }

    private void publish(Event event) {
        inFlight.put(event, clock.nanoTime());
        bytesInFlight += event.payloadBytes();
        publisher.publish(event);
    }

    private void accept(Batch batch, Answer answer) {
        Event event = answer.event();
        inFlight.remove(event);
        bytesInFlight -= event.payloadBytes();
        if (answer.outcome() instanceof Outcome.Confirmed) {
            batch.confirmed(event);
            backoffs.succeeded(event.aggregate());
        } else {
            LOG.debug("Lane {}: {} waits: {}", lease.lane(), event, answer.outcome());
            batch.failed(event);
            if (answer.outcome() instanceof Outcome.Unconfirmed) {
                backoffs.unanswered(event.aggregate(), clock.nanoTime());
            } else {
                backoffs.failed(event.aggregate(), clock.nanoTime());
            }
        }
    }

    private void giveUpAfterDeadline(Batch batch) {
        long now = clock.nanoTime();
        long deadline = settings.confirmDeadline().toNanos();
        List<Event> late = inFlight.entrySet().stream()
                .takeWhile(sent -> now - sent.getValue() >= deadline)
                .map(Map.Entry::getKey)
                .toList();
        for (Event event : late) {
            publisher.forget(event);
            accept(batch, new Answer(event, new Outcome.Unconfirmed("no answer within " + settings.confirmDeadline())));
        }
    }

    /** Nothing is in flight between two cycles, unless the last one ended by an exception. */
    private void forgetInFlight() {
        inFlight.keySet().forEach(publisher::forget);
        inFlight.clear();
        bytesInFlight = 0;
    }

    private void tellThatTooManyWait(int waiting) {
        if (!tooManyWait) {
            tooManyWait = true;
            LOG.warn(
                    "Lane {}: {} aggregates wait after failed attempts, as many as it can keep; it claims nothing more"
                            + " until the first of them is due",
                    lease.lane(),
                    waiting);
        }
    }

    private int settle() {
        if (unsettled.isEmpty()) {
            return 0;
        }
        int settled = store.settle(lease.lane(), unsettled);
        if (settled < unsettled.size()) {
            LOG.warn(
                    "Lane {}: of {} confirmed events {} were gone already: another relay published them too",
                    lease.lane(),
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
        return !draining && lease.trusted(clock.nanoTime()) && publisher.ready();
    }

    private boolean windowHasRoomFor(Event event) {
        return inFlight.isEmpty()
                || inFlight.size() < settings.windowEvents()
                        && bytesInFlight + event.payloadBytes() <= settings.windowBytes();
    }

    private Duration untilDeadline() {
        long oldest = inFlight.values().iterator().next();
        long left = oldest + settings.confirmDeadline().toNanos() - clock.nanoTime();
        return Duration.ofNanos(Math.max(0, left));
    }

    private static Event last(List<Event> events) {
        return events.get(events.size() - 1);
    }
}
