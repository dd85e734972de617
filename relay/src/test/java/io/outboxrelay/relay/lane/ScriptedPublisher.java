package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Outcome.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/** A broker whose moods a test decides. Time passes only while a lane waits for answers that do not come. */
final class ScriptedPublisher implements Publisher {

    /** An answer that never comes. */
    static final Outcome SILENCE = new Outcome.Unconfirmed("silence");

    final List<Event> published = new ArrayList<>();
    final List<Event> forgotten = new ArrayList<>();
    Function<Event, Outcome> mood = event -> Outcome.CONFIRMED;
    Predicate<Event> closesChannel = event -> false;
    Predicate<Event> closesConnection = event -> false;
    BooleanSupplier anotherLaneCloses = () -> false;
    Consumer<Event> forgets = event -> {};
    boolean ready = true;
    Runnable gettingReady = () -> {};
    boolean apart;
    int mostInFlight;
    long mostBytesInFlight;

    private final SettableClock clock;
    private final List<Event> inFlight = new ArrayList<>();

    ScriptedPublisher(SettableClock clock) {
        this.clock = clock;
    }

    @Override
    public boolean ready() {
        gettingReady.run();
        return ready;
    }

    @Override
    public void apart(boolean alone) {
        apart = alone;
    }

    @Override
    public void publish(Event event) {
        published.add(event);
        inFlight.add(event);
        mostInFlight = Math.max(mostInFlight, inFlight.size());
        mostBytesInFlight = Math.max(
                mostBytesInFlight,
                inFlight.stream().mapToLong(Event::payloadBytes).sum());
    }

    @Override
    public void flush() {
        // nothing is buffered
    }

    @Override
    public List<Answer> answers(Duration atMost) {
        if (inFlight.stream().anyMatch(closesConnection)
                || !apart && !inFlight.isEmpty() && anotherLaneCloses.getAsBoolean()) {
            return lose("the connection was closed", Reason.CLOSES_CONNECTION);
        }
        if (inFlight.stream().anyMatch(closesChannel)) {
            return lose("the channel was closed", Reason.CLOSES_CHANNEL);
        }
        List<Answer> answers = inFlight.stream()
                .map(event -> new Answer(event, mood.apply(event)))
                .filter(answer -> answer.outcome() != SILENCE)
                .toList();
        answers.forEach(answer -> inFlight.remove(answer.event()));
        if (answers.isEmpty()) {
            clock.pass(atMost);
        }
        return answers;
    }

    private List<Answer> lose(String detail, Reason suspected) {
        List<Answer> lost = inFlight.stream()
                .map(event -> new Answer(event, new Outcome.Unconfirmed(detail, suspected)))
                .toList();
        inFlight.clear();
        return lost;
    }

    @Override
    public void forget(Event event) {
        forgotten.add(event);
        forgets.accept(event);
        inFlight.remove(event);
    }

    /** Positions of the published events, in order. */
    List<Long> positions() {
        return published.stream().map(Event::position).toList();
    }
}
