package io.outboxrelay.bench;

import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.ServiceEvent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Compares committed events with those that arrived, and with the effects that consumers made of them.
 *
 * @param events number of committed events
 * @param lost committed and never arrived
 * @param misordered arrived behind a later event of their aggregate
 * @param invented arrived and never committed like that
 * @param left events that a relay or a consumer had not finished
 * @param ended unexpected exits of relays and consumers
 * @param duplicates repeated deliveries
 * @param effects what is wrong with the effects
 */
record Verdict(
        long events,
        List<String> lost,
        List<String> misordered,
        List<String> invented,
        List<String> left,
        List<String> ended,
        long duplicates,
        EffectFaults effects) {

    private static final int SHOWN = 10;

    /** The part of relays and consumers, before that of the sources. */
    static Verdict ofProcesses(List<String> ended, ChaosEffects.Progress consumers) {
        List<String> left = consumers.stored() == 0
                ? List.of()
                : List.of("%s: %d stored".formatted(ChaosConsumer.CONSUMER, consumers.stored()));
        return new Verdict(0, List.of(), List.of(), List.of(), left, ended, 0, EffectFaults.NONE);
    }

    /**
     * Judges the events of a source.
     *
     * @param effects in the order of their insertion
     */
    static Verdict of(
            String source,
            Set<ServiceEvent> committed,
            Arrivals arrivals,
            ChaosSource.Backlog left,
            List<ChaosEffect> effects) {
        Set<ServiceEvent> arrived = arrivals.events();
        return new Verdict(
                committed.size(),
                missing(source, committed, arrived),
                arrivals.disorder().stream().map(event -> source + ": " + event).toList(),
                missing(source, arrived, committed),
                left.isEmpty() ? List.of() : List.of(source + ": " + left),
                List.of(),
                arrivals.duplicates(),
                EffectFaults.of(source, committed, effects));
    }

    /** Those of a set that are not in another, in words. */
    static List<String> missing(String source, Set<ServiceEvent> from, Set<ServiceEvent> others) {
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
                duplicates + other.duplicates,
                effects.and(other.effects));
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
                && ended.isEmpty()
                && effects.isEmpty();
    }

    /** The numbers for the last line; more of them after a failure. */
    String counts(int kills) {
        String counts = "events=%d kills=%d lost=%d out_of_order=%d duplicates_delivered=%d %s"
                .formatted(events, kills, lost.size(), misordered.size(), duplicates, effects.counts());
        return isGood()
                ? counts
                : counts
                        + " never_committed=%d left=%s processes_ended=%d"
                                .formatted(invented.size() + effects.invented().size(), left, ended.size());
    }

    /** The first faults, a line each. */
    List<String> details() {
        List<String> lines = new ArrayList<>();
        lost.stream().limit(SHOWN).forEach(event -> lines.add("lost " + event));
        misordered.stream().limit(SHOWN).forEach(event -> lines.add("out of order " + event));
        invented.stream().limit(SHOWN).forEach(event -> lines.add("never committed " + event));
        lines.addAll(effects.details(SHOWN));
        left.forEach(backlog -> lines.add("left " + backlog));
        lines.addAll(ended);
        return lines;
    }
}
