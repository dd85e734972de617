package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends events again that were published before: those of one aggregate in order, each only when the one before it is
 * confirmed, and at most at the given rate. One thread runs it. It writes nothing: a crash loses only the position,
 * which the listener has received.
 *
 * <p>An event that the broker does not take or does not answer is sent again until it is confirmed. An event that
 * cannot be sent ends the replay, or is skipped if the settings say so.
 */
public final class Replay {

    private static final Duration LONGEST_WAIT = Duration.ofMillis(200);

    /** After a delay, sending may exceed the rate until it has made up for this much. */
    private static final Duration CATCH_UP = Duration.ofMillis(100);

    private final Archive archive;
    private final Publisher publisher;
    private final LongSupplier nanoTime;
    private final ReplaySettings settings;
    private final Listener listener;
    private final InFlight inFlight;

    /** Positions of the events of this batch that are not finished. */
    private final TreeSet<Long> open = new TreeSet<>();

    private final Deque<Event> again = new ArrayDeque<>();
    private long againAt;
    private long nextAt;
    private long sent;
    private long dropped;
    private long skipped;
    private long last;
    private @Nullable String stopped;

    /** Receives the progress. */
    public interface Listener {

        /**
         * Some events are finished.
         *
         * @param events number of finished events since the start
         * @param last position up to which all events are finished
         */
        void reached(long events, long last);

        /**
         * An event cannot be sent and is skipped.
         *
         * @param event the event
         * @param why the reason, in a sentence
         */
        void skipped(Event event, String why);
    }

    /**
     * How a replay ended.
     *
     * @param sent number of events that were sent and confirmed
     * @param dropped number of events that may be dropped, because no queue is bound for them
     * @param skipped number of events that could not be sent
     * @param last position up to which all events are finished: another replay can continue after it
     * @param stopped why it stopped early; null when it reached the end
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
     * @param nanoTime clock for rate and deadlines
     * @param settings its bounds
     * @param listener receives the progress
     */
    public Replay(
            Archive archive, Publisher publisher, LongSupplier nanoTime, ReplaySettings settings, Listener listener) {
        this.archive = archive;
        this.nanoTime = nanoTime;
        this.publisher = publisher;
        this.settings = settings;
        this.listener = listener;
        Window window = new Window(settings.windowEvents(), settings.windowBytes(), settings.confirmDeadline());
        this.inFlight = new InFlight(publisher, nanoTime, window, settings.confirmDeadline());
    }

    /**
     * Sends everything in the archive.
     *
     * @param after the position after which to begin; 0 for the beginning
     * @return how it ended
     * @throws InterruptedException when the thread is to stop
     */
    public Result run(long after) throws InterruptedException {
        last = after;
        nextAt = nanoTime.getAsLong() - CATCH_UP.toNanos();
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
        Batch batch = new Batch(events.size(), settings.windowEvents());
        events.forEach(batch::add);
        events.forEach(event -> open.add(event.position()));
        while (!inFlight.isEmpty() || !open.isEmpty() && stopped == null) {
            publish(batch);
            inFlight.awaitAnswers(untilNextMayGo(), (event, outcome) -> accept(batch, event, outcome));
            reached(events);
        }
        reached(events);
    }

    private void reached(List<Event> events) {
        last = open.isEmpty() ? events.get(events.size() - 1).position() : open.first() - 1;
        listener.reached(sent + dropped + skipped, last);
    }

    private void publish(Batch batch) {
        while (stopped == null && publisher.ready() && nanoTime.getAsLong() - nextAt >= 0) {
            boolean repeated = !again.isEmpty() && nanoTime.getAsLong() - againAt >= 0;
            if (!repeated && !batch.hasSendable()) {
                return;
            }
            if (!inFlight.hasRoomFor(repeated ? again.element() : batch.peek())) {
                return;
            }
            nextAt = Math.max(nextAt, nanoTime.getAsLong() - CATCH_UP.toNanos())
                    + 1_000_000_000L / settings.eventsPerSecond();
            inFlight.publish(
                    repeated ? again.remove() : batch.next(), (event, outcome) -> accept(batch, event, outcome));
        }
    }

    private Duration untilNextMayGo() {
        long left = nextAt - nanoTime.getAsLong();
        return left > 0 && left < LONGEST_WAIT.toNanos() ? Duration.ofNanos(left) : LONGEST_WAIT;
    }

    private void accept(Batch batch, Event event, Outcome outcome) {
        if (outcome instanceof Outcome.Confirmed) {
            sent++;
            done(batch, event);
        } else if (outcome instanceof Outcome.Returned || outcome instanceof Outcome.Refused) {
            failed(batch, event, (Outcome.NotPublished) outcome);
        } else {
            again.add(event);
            againAt = nanoTime.getAsLong() + settings.again().toNanos();
        }
    }

    private void failed(Batch batch, Event event, Outcome.NotPublished failure) {
        if (settings.drops().test(event, failure)) {
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
     * @param eventsPerSecond maximum events per second
     * @param windowEvents maximum events in flight: published and not answered yet
     * @param windowBytes maximum payload bytes in flight
     * @param confirmDeadline maximum time in which the broker must answer an event
     * @param again wait before an event is sent again that the broker did not take or did not answer
     * @param drops says which events may be dropped after an answer of the broker
     * @param skipFailed whether to skip an event that cannot be sent, instead of stopping there
     */
    public record ReplaySettings(
            int eventsPerSecond,
            int windowEvents,
            long windowBytes,
            Duration confirmDeadline,
            Duration again,
            BiPredicate<Event, Outcome.NotPublished> drops,
            boolean skipFailed) {}

    /** The events to send again, in the order of their positions. */
    @FunctionalInterface
    public interface Archive {

        /**
         * Reads the next events.
         *
         * @param after the position after which to read; 0 for the beginning
         * @return the events; empty when there are no more
         */
        List<Event> next(long after);
    }
}
