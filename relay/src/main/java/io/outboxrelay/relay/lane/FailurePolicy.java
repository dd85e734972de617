package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What follows when an event was not published. Only {@link Outcome.Returned} and {@link Outcome.Refused} spend an attempt:
 * what an event cannot help, a full queue or a broker that is away, never parks it.
 *
 * @param maxAttempts an event whose attempts are spent is parked
 * @param firstBackoff longest wait before the second attempt
 * @param longestBackoff longest wait between two attempts
 * @param onPark what happens behind a parked event
 * @param unroutable what happens to an event that no queue is bound for
 */
public record FailurePolicy(
        int maxAttempts,
        Duration firstBackoff,
        Duration longestBackoff,
        ByRoute<OnPark> onPark,
        ByRoute<Unroutable> unroutable) {

    private static final int LONGEST_DETAIL = 1_000;

    /** What later events of an aggregate do behind a parked one. */
    public enum OnPark {
        /** They wait until a person has decided about it. */
        BLOCK,
        /** They are published. */
        CONTINUE
    }

    /** What becomes of an event that no queue is bound for. */
    public enum Unroutable {
        /** It is tried again and then parked. */
        PARK,
        /** It is deleted, as if it had been published: nobody is interested. */
        DROP
    }

    /** What an event among the failures waits for. */
    public enum State {
        /** The end of its backoff. */
        RETRYING,
        /** A person's decision. */
        PARKED,
        /** A person to resume its route. */
        PAUSED
    }

    /**
     * An event that is kept among the failures.
     *
     * @param event the event
     * @param state what it waits for
     * @param blocking whether later events of its aggregate wait for it
     * @param attempts how many attempts were spent
     * @param failures how often it failed in a row
     * @param backoff wait before the next attempt, when it waits for that
     * @param reason why it failed
     * @param detail why, in a sentence
     */
    public record Failed(
            Event event,
            State state,
            boolean blocking,
            int attempts,
            int failures,
            Duration backoff,
            Reason reason,
            String detail) {}

    /** Returns whether the event is to be forgotten after this answer. */
    boolean drops(Event event, Outcome.Failure failure) {
        return failure.reason() == Reason.UNROUTABLE && unroutable.of(event) == Unroutable.DROP;
    }

    /** Returns how the event is kept after this answer. */
    Failed keep(Event event, Outcome.Failure failure, RandomGenerator random) {
        Event.Kept before = before(event);
        boolean spends = !(failure instanceof Outcome.Nacked);
        int attempts = before.attempts() + (spends ? 1 : 0);
        int failures = before.failures() + 1;
        boolean parks = failure instanceof Outcome.Refused || spends && attempts >= maxAttempts;
        return new Failed(
                event,
                parks ? State.PARKED : State.RETRYING,
                !parks || onPark.of(event) == OnPark.BLOCK,
                attempts,
                failures,
                parks ? Duration.ZERO : new Backoff(firstBackoff, longestBackoff).after(failures, random),
                failure.reason(),
                failure.detail().substring(0, Math.min(failure.detail().length(), LONGEST_DETAIL)));
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
                Duration.ZERO,
                Reason.PAUSED,
                "its route is paused");
    }

    private static Event.Kept before(Event event) {
        return event.kept() == null ? new Event.Kept(0, 0, 0) : event.kept();
    }
}
