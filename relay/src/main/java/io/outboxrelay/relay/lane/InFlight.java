package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher.Answer;
import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/**
 * Publishes events and collects the broker's answers: at most a {@link Window} of events without an answer, each of
 * them until its deadline, {@link Suspects} alone. Every event gets exactly one outcome. Used by one thread.
 */
final class InFlight {

    private final Publisher publisher;
    private final LongSupplier nanoTime;
    private final Duration confirmDeadline;
    private final Window window;
    private final Suspects suspects = new Suspects();

    InFlight(Publisher publisher, LongSupplier nanoTime, Window window, Duration confirmDeadline) {
        this.publisher = publisher;
        this.nanoTime = nanoTime;
        this.confirmDeadline = confirmDeadline;
        this.window = window;
    }

    /** Stops waiting for answers, as after an exception in the middle of a cycle. */
    void abandon() {
        window.clear().forEach(publisher::forget);
    }

    /** Moves to a connection of its own while there are events that may make the broker close the connection. */
    void chooseConnection() {
        publisher.apart(suspects.closeConnections());
    }

    /** Ends all suspicion: the suspected events are gone. */
    void clearSuspects() {
        suspects.clear();
    }

    /** Ends the suspicion of events that will not be published again in their turn. */
    void forget(List<Event> events) {
        events.forEach(suspects::forget);
    }

    boolean isEmpty() {
        return window.isEmpty();
    }

    boolean hasRoomFor(Event event) {
        return window.hasRoomFor(event, suspects);
    }

    /** Publishes one event. One that cannot be read is refused at once. */
    void publish(Event event, BiConsumer<Event, Outcome> outcomes) {
        if (event.unreadable() != null) {
            outcomes.accept(event, new Outcome.Refused(Reason.UNREADABLE, event.unreadable()));
            return;
        }
        window.add(event, nanoTime.getAsLong());
        publisher.publish(event);
    }

    /** Sends buffered events and waits until an answer comes or a deadline passes. */
    void awaitAnswers(BiConsumer<Event, Outcome> outcomes) throws InterruptedException {
        if (window.isEmpty()) {
            publisher.flush();
        } else {
            awaitAnswers(confirmDeadline, outcomes);
        }
    }

    /**
     * Sends buffered events and waits until an answer comes or a deadline passes.
     *
     * @param atMost longest wait
     * @param outcomes receives each event that is no longer in flight, and its outcome
     */
    void awaitAnswers(Duration atMost, BiConsumer<Event, Outcome> outcomes) throws InterruptedException {
        publisher.flush();
        for (Answer answer : publisher.answers(untilDeadline(atMost))) {
            accept(answer, outcomes);
        }
        for (Event late : window.late(nanoTime.getAsLong())) {
            publisher.forget(late);
            accept(new Answer(late, new Outcome.Unconfirmed("no answer within " + confirmDeadline)), outcomes);
        }
    }

    private Duration untilDeadline(Duration atMost) {
        if (window.isEmpty()) {
            return atMost;
        }
        Duration left = window.untilDeadline(nanoTime.getAsLong());
        return left.compareTo(atMost) < 0 ? left : atMost;
    }

    private void accept(Answer answer, BiConsumer<Event, Outcome> outcomes) {
        Event event = answer.event();
        window.remove(event);
        outcomes.accept(event, suspects.judge(event, answer.outcome()));
    }
}
