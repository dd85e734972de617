package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Outcome.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What follows when an event was not published. Only {@link Outcome.Returned} and {@link Outcome.Refused} spend an
 * attempt: a full queue or an unreachable broker never parks an event.
 *
 * <p>A return may have a cause that ends without a change to the event: to the broker, a queue whose node is down is as
 * absent as one that was never bound. So attempts alone do not park an event; the returns must also have lasted for a
 * time. A parked event that was returned is still tried, slowly, unless its aggregate has continued without it: then
 * only a person brings it back, because it would arrive after later events.
 *
 * @param maxAttempts minimum number of returns before an event is parked
 * @param parkAfter minimum time for which the broker has returned it, without any other answer in between
 * @param resume whether parked events that were returned are still tried
 * @param firstBackoff maximum wait before the second attempt
 * @param longestBackoff maximum wait between two attempts
 * @param onPark what later events of the aggregate do behind a parked one
 * @param unroutable what happens to an event for which no queue is bound
 */
public record FailurePolicy(
        int maxAttempts,
        Duration parkAfter,
        boolean resume,
        Duration firstBackoff,
        Duration longestBackoff,
        ByRoute<OnPark> onPark,
        ByRoute<Unroutable> unroutable) {

    private static final int LONGEST_DETAIL = 1_000;

    /** What later events of an aggregate do behind a parked one. */
    public enum OnPark {
        /** They wait until a person decides about it. */
        BLOCK,
        /** They are published. */
        CONTINUE
    }

    /** What happens to an event for which no queue is bound. */
    public enum Unroutable {
        /** It is tried again and then parked. */
        PARK,
        /** It is deleted, as if it had been published: no consumer needs it. */
        DROP
    }

    /** What an event among the failures waits for; lower case in the table. */
    public enum State {
        /** The end of its backoff. */
        RETRYING,
        /** A person's decision, or, where it is still tried, that the broker takes it. */
        PARKED,
        /** A person to resume its route. */
        PAUSED,
        /** The first event of its aggregate, which is in one of the other states. */
        WAITING;

        /** The states of the first event of an aggregate: what a list shows. */
        public static final Set<State> SHOWN = Set.of(RETRYING, PARKED, PAUSED);

        /** {@return the state of this name} */
        public static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * An event that is kept among the failures.
     *
     * @param event the event
     * @param state what it waits for
     * @param blocking whether later events of its aggregate wait for it
     * @param attempts number of spent attempts
     * @param failures number of failures in a row
     * @param backoff wait before the next attempt; null when there is none without a person
     * @param reason why it failed
     * @param detail why, in a sentence
     */
    public record Failed(
            Event event,
            State state,
            boolean blocking,
            int attempts,
            int failures,
            @Nullable Duration backoff,
            Reason reason,
            String detail) {

        /** Returns whether the broker has returned it. */
        public boolean returned() {
            return reason.isOfReturns();
        }

        /** Returns whether it is parked and was not before. */
        boolean isNewlyParked() {
            return state == State.PARKED
                    && (event.kept() == null || !event.kept().parked());
        }
    }

    /** Returns whether the event is dropped after this answer. */
    public boolean drops(Event event, Outcome.NotPublished failure) {
        return failure.reason() == Reason.UNROUTABLE && mayDrop(event) && !isInDoubt(event, failure);
    }

    /** A dropped event does not come back, so an event whose queue may be down is kept. */
    private boolean isInDoubt(Event event, Outcome.NotPublished failure) {
        return failure instanceof Outcome.Returned returned && returned.mayBeDown() && mayDrop(event);
    }

    /** Returns whether the event is dropped when no queue is bound for it. */
    boolean mayDrop(Event event) {
        return unroutable.of(event) == Unroutable.DROP;
    }

    /** Returns how the event is kept after this answer. */
    Failed keep(Event event, Outcome.NotPublished failure, RandomGenerator random) {
        if (isInDoubt(event, failure)) {
            return keep(event, new Outcome.Nacked(Reason.QUEUE_DOWN, failure.detail()), random);
        }
        Event.Kept before = before(event);
        boolean spends = !(failure instanceof Outcome.Nacked);
        int attempts = before.attempts() + (spends ? 1 : 0);
        int failures = before.failures() + 1;
        boolean parks = failure instanceof Outcome.Refused
                || spends && attempts >= maxAttempts && before.returnedFor().compareTo(parkAfter) >= 0;
        boolean blocking = !parks || onPark.of(event) == OnPark.BLOCK;
        return new Failed(
                event,
                parks ? State.PARKED : State.RETRYING,
                blocking,
                attempts,
                failures,
                parks
                        ? blocking && resume && failure instanceof Outcome.Returned ? slowly(random) : null
                        : new Backoff(firstBackoff, longestBackoff).after(failures, random),
                failure.reason(),
                storable(failure.detail()));
    }

    /** A text that every database accepts, whatever it quotes: without NUL and without half a character. */
    private static String storable(String detail) {
        String words = detail.substring(0, Math.min(detail.length(), LONGEST_DETAIL));
        return new String(words.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).replace('\0', '?');
    }

    /** The wait of a parked event: at least the usual one, and not the same for all. */
    private Duration slowly(RandomGenerator random) {
        long longest = Math.max(parkAfter.toNanos(), longestBackoff.toNanos());
        return Duration.ofNanos(longest / 2 + random.nextLong(longest / 2 + 1));
    }

    /** Returns how an event is kept whose route is paused. */
    static Failed pause(Event event) {
        Event.Kept before = before(event);
        return new Failed(
                event,
                State.PAUSED,
                true,
                before.attempts(),
                before.failures(),
                null,
                Reason.PAUSED,
                "its route is paused");
    }

    private static Event.Kept before(Event event) {
        return event.kept() == null ? new Event.Kept(0, 0, 0, Duration.ZERO, false) : event.kept();
    }
}
