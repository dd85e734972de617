package io.outboxrelay.bench;

import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.ServiceEvent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Compares committed and arrived events.
 *
 * @param events number of committed events
 * @param lost committed and never arrived
 * @param misordered arrived behind a later event of their aggregate
 * @param invented arrived and never committed like that
 * @param left events that the relay had not finished
 * @param ended unexpected exits of relays
 * @param duplicates repeated deliveries
 */
record Verdict(
        long events,
        List<String> lost,
        List<String> misordered,
        List<String> invented,
        List<String> left,
        List<String> ended,
        long duplicates) {

    private static final int SHOWN = 10;

    /** The relays' part, before that of the sources. */
    static Verdict ofRelays(List<String> ended) {
        return new Verdict(0, List.of(), List.of(), List.of(), List.of(), ended, 0);
    }

    static Verdict of(String source, Set<ServiceEvent> committed, Arrivals arrivals, ChaosSource.Backlog left) {
        Set<ServiceEvent> arrived = arrivals.events();
        return new Verdict(
                committed.size(),
                missing(source, committed, arrived),
                arrivals.disorder().stream().map(event -> source + ": " + event).toList(),
                missing(source, arrived, committed),
                left.isEmpty() ? List.of() : List.of(source + ": " + left),
                List.of(),
                arrivals.duplicates());
    }

    private static List<String> missing(String source, Set<ServiceEvent> from, Set<ServiceEvent> others) {
        Set<ServiceEvent> missing = new HashSet<>(from);
        missing.removeAll(others);
        return missing.stream().map(event -> source + ": " + event).sorted().toList();
    }

    Verdict and(Verdict other) {
        return new Verdict(
                events + other.events,
                both(lost, other.lost),
                both(misordered, other.misordered),
                both(invented, other.invented),
                both(left, other.left),
                both(ended, other.ended),
                duplicates + other.duplicates);
    }

    private static List<String> both(List<String> one, List<String> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    boolean isGood() {
        return events > 0
                && lost.isEmpty()
                && misordered.isEmpty()
                && invented.isEmpty()
                && left.isEmpty()
                && ended.isEmpty();
    }

    /** The numbers for the last line; more of them after a failure. */
    String counts(int kills) {
        String counts = "events=%d kills=%d lost=%d out_of_order=%d duplicates_delivered=%d"
                .formatted(events, kills, lost.size(), misordered.size(), duplicates);
        return isGood()
                ? counts
                : counts + " never_committed=%d left=%s relays_ended=%d".formatted(invented.size(), left, ended.size());
    }

    /** The first faults, a line each. */
    List<String> details() {
        List<String> lines = new ArrayList<>();
        lost.stream().limit(SHOWN).forEach(event -> lines.add("lost " + event));
        misordered.stream().limit(SHOWN).forEach(event -> lines.add("out of order " + event));
        invented.stream().limit(SHOWN).forEach(event -> lines.add("never committed " + event));
        left.forEach(backlog -> lines.add("left " + backlog));
        lines.addAll(ended);
        return lines;
    }
}
