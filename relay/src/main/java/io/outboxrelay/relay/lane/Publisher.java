package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.List;

/** A lane's side of the broker. All methods are called by the lane's thread. */
public interface Publisher {

    /** Returns whether events can be sent now: connected, and not blocked by the broker. */
    boolean ready();

    /**
     * Goes to a connection that nobody else publishes on, or back to the one that all share. Called while nothing is in
     * flight; events that may have made the broker close the connection are published apart.
     *
     * @param alone whether to be alone
     */
    void apart(boolean alone);

    /**
     * Hands over one event. Never fails: whatever goes wrong is an answer. It may stay in a buffer until {@link #flush()}.
     *
     * One that was forgotten is not sent a second time while the broker may still hold it: it is answered as far as the broker
     * has answered the first time.
     *
     * @param event an event of whose aggregate no other is unanswered
     */
    void publish(Event event);

    /** Sends what is still in a buffer. */
    void flush();

    /**
     * Waits for answers.
     *
     * @param atMost longest wait for the first one
     * @return those that have come, at most one for each published event; empty when the time is over
     * @throws InterruptedException when the thread is to stop
     */
    List<Answer> answers(Duration atMost) throws InterruptedException;

    /**
     * Stops waiting for an answer. One that still comes is for when the event is published again.
     *
     * @param event a published event
     */
    void forget(Event event);

    /**
     * The broker's answer about one event.
     *
     * @param event the event, the same object that was published
     * @param outcome what became of it
     */
    record Answer(Event event, Outcome outcome) {}
}
