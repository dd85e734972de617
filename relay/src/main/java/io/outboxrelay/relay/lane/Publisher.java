package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.List;

/** A lane's side of the broker. All methods are called by the lane's thread. */
public interface Publisher {

    /** Returns whether events can be sent now: connected, and not blocked by the broker. */
    boolean ready();

    /**
     * Moves to a connection that no other lane uses, or back to the shared one. Called while nothing is in flight;
     * events that may have made the broker close the connection are published apart.
     *
     * @param alone whether to use a connection of its own
     */
    void apart(boolean alone);

    /**
     * Publishes one event. Never fails: every error is an answer. The event may stay in a buffer until
     * {@link #flush()}.
     *
     * <p>A forgotten event is not sent a second time while the broker may still hold it: its answer is the one to the
     * first message.
     *
     * @param event an event of whose aggregate no other is unanswered
     */
    void publish(Event event);

    /** Sends the buffer. */
    void flush();

    /**
     * Waits for answers.
     *
     * @param atMost maximum wait for the first answer
     * @return the answers so far, at most one for each published event; empty when the time is over
     * @throws InterruptedException when the thread is to stop
     */
    List<Answer> answers(Duration atMost) throws InterruptedException;

    /**
     * Stops waiting for an answer. If it still comes, it answers the next publication of the event.
     *
     * @param event a published event
     */
    void forget(Event event);

    /**
     * The broker's answer about one event.
     *
     * @param event the event, the same object that was published
     * @param outcome the answer
     */
    record Answer(Event event, Outcome outcome) {}
}
