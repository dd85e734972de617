package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Publisher.Answer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sends events once more that were published before: of each aggregate in their order, the next one only when the one before
 * it is confirmed, and no faster than asked for. One thread runs it. Nothing is written anywhere: a crash loses only how far
 * it was, which the listener was told.
 *
 * <p>What the broker does not take or does not answer is sent again until it is confirmed. An event that cannot be sent at
 * all ends the replay, or is skipped where that was asked for.
 */
public final class Replay {

    private static final Duration LONGEST_WAIT = Duration.ofMillis(200);

    /** Sending may catch up on so much of what waiting has cost it. */
    private static final Duration CATCH_UP = Duration.ofMillis(100);

    private final Archive archive;
    private final Publisher publisher;
    private final Clock clock;
    private final ReplaySettings settings;
    private final Listener listener;
    private final Window inFlight;
    private final Suspects suspects = new Suspects();

    /** Places of the events of this batch that are not done with. */
    private final TreeSet<Long> open = new TreeSet<>();

    private final Deque<Event> again = new ArrayDeque<>();
    private long againAt;
    private long nextAt;
    private long sent;
    private long dropped;
    private long skipped;
    private long last;
    private @Nullable String stopped;

    /** Is told how far it is. */
    public interface Listener {

        /**
         * Events are done with.
         *
         * @param events how many in all
         * @param last the place up to which all are
         */
        void reached(long events, long last);

        /**
         * An event cannot be sent, and is skipped.
         *
         * @param event which
         * @param why in a sentence
         */
        void skipped(Event event, String why);
    }

    /**
     * How it ended.
     *
     * @param sent how many events were sent and confirmed
     * @param dropped how many have no queue, which their routes allow for
     * @param skipped how many could not be sent
     * @param last the place up to which all are done with: where another replay can go on
     * @param stopped why it ended before the end; null when it did not
     */
    public record Result(
            long sent,
            long dropped,
            long skipped,
            long last,
            @Nullable String stopped) {}

    /**
     * @param archive what to send
     * @param publisher where to
     * @param clock time for rate and deadlines
     * @param settings its bounds
     * @param listener is told how far it is
     */
    public Replay(Archive archive, Publisher publisher, Clock clock, ReplaySettings settings, Listener listener) {
        this.archive = archive;
        this.publisher = publisher;
        this.clock = clock;
        this.settings = settings;
        this.listener = listener;
        this.inFlight = new Window(settings.windowEvents(), settings.windowBytes(), settings.confirmDeadline());
    }

    /**
     * Sends all that the archive has.
     *
     * @param after the place after which to begin; 0 for the beginning
     * @return how it ended
     * @throws InterruptedException when the thread is to stop
     */
    public Result run(long after) throws InterruptedException {
        last = after;
        nextAt = clock.nanoTime() - CATCH_UP.toNanos();
        for (List<Event> events = next(); !events.isEmpty(); events = next()) {
            send(events);
        }
        return new Result(sent, dropped, skipped, last, stopped);
    }

    private List<Event> next() {
        try {
            return stopped == null ? archive.next(last) : List.of();
        } catch (RuntimeException e) {
            stopped = "no more events can be read: " + e.getMessage();
            return List.of();
        }
    }

    private void send(List<Event> events) throws InterruptedException {
        Batch batch = new Batch(events.size());
        events.forEach(batch::add);
        events.forEach(event -> open.add(event.position()));
        while (!inFlight.isEmpty() || !open.isEmpty() && stopped == null) {
            publishWhatMayGo(batch);
            publisher.flush();
            publisher.answers(untilSomethingIsDue(clock.nanoTime())).forEach(answer -> accept(batch, answer));
            reached(events);
            for (Event late : inFlight.late(clock.nanoTime())) {
                publisher.forget(late);
                accept(batch, new Answer(late, new Outcome.Unconfirmed("no answer in time")));
            }
        }
        reached(events);
    }

    private void reached(List<Event> events) {
        last = open.isEmpty() ? events.get(events.size() - 1).position() : open.first() - 1;
        listener.reached(sent + dropped + skipped, last);
    }

    private void publishWhatMayGo(Batch batch) {
        while (stopped == null && publisher.ready() && clock.nanoTime() - nextAt >= 0) {
            boolean repeated = !again.isEmpty() && clock.nanoTime() - againAt >= 0;
            if (!repeated && !batch.hasSendable()) {
                return;
            }
            Event event = repeated ? again.element() : batch.peek();
            if (!inFlight.hasRoomFor(event, suspects)) {
                return;
            }
            inFlight.add(repeated ? again.remove() : batch.next(), clock.nanoTime());
            nextAt = Math.max(nextAt, clock.nanoTime() - CATCH_UP.toNanos())
                    + 1_000_000_000L / settings.eventsPerSecond();
            if (event.unreadable() == null) {
                publisher.publish(event);
            } else {
                accept(batch, new Answer(event, new Outcome.Refused(Reason.UNREADABLE, event.unreadable())));
            }
        }
    }

    /** How long nothing needs to be done but to wait for answers. */
    private Duration untilSomethingIsDue(long now) {
        long nanos = LONGEST_WAIT.toNanos();
        if (nextAt - now > 0) {
            nanos = Math.min(nanos, nextAt - now);
        }
        if (!inFlight.isEmpty()) {
            nanos = Math.min(nanos, inFlight.untilDeadline(now).toNanos());
        }
        return Duration.ofNanos(nanos);
    }

    private void accept(Batch batch, Answer answer) {
        Event event = answer.event();
        inFlight.remove(event);
        Outcome outcome = suspects.judge(event, answer.outcome());
        if (outcome instanceof Outcome.Confirmed) {
            sent++;
            done(batch, event);
        } else if (outcome instanceof Outcome.Returned || outcome instanceof Outcome.Refused) {
            failed(batch, event, (Outcome.Failure) outcome);
        } else {
            again.add(event);
            againAt = clock.nanoTime() + settings.again().toNanos();
        }
    }

    private void failed(Batch batch, Event event, Outcome.Failure failure) {
        if (settings.policy() != null && settings.policy().drops(event, failure)) {
            dropped++;
            done(batch, event);
            return;
        }
        String why = failure.reason().word() + ": " + failure.detail();
        if (settings.skipFailed()) {
            skipped++;
            listener.skipped(event, why);
            done(batch, event);
        } else {
            stopped = Objects.requireNonNullElse(stopped, event + " cannot be sent, " + why);
        }
    }

    private void done(Batch batch, Event event) {
        open.remove(event.position());
        batch.done(event);
    }

    /**
     * Bounds of a replay.
     *
     * @param eventsPerSecond most events that are sent in a second
     * @param windowEvents most events that are published and not yet answered by the broker
     * @param windowBytes most payload bytes that are published and not yet answered
     * @param confirmDeadline how long the broker may take to answer one event
     * @param again wait before an event is sent again that the broker did not take or did not answer
     * @param policy says which events may be dropped when no queue is bound for them; null where all must arrive
     * @param skipFailed whether to go on behind an event that cannot be sent, instead of ending there
     */
    public record ReplaySettings(
            int eventsPerSecond,
            int windowEvents,
            long windowBytes,
            Duration confirmDeadline,
            Duration again,
            @Nullable FailurePolicy policy,
            boolean skipFailed) {}

    /** Events that were published before and are to be sent once more, in the order of their places. */
    @FunctionalInterface
    public interface Archive {

        /**
         * Reads on.
         *
         * @param after the place after which to read; 0 for the beginning
         * @return the next ones, whose {@link Event#position()} is their place; empty when there are no more
         */
        List<Event> next(long after);
    }
}
