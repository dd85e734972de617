package io.outboxrelay.bench;

import io.outboxrelay.testservers.ServiceEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What is wrong with the effects of committed events.
 *
 * @param lost committed and without an effect
 * @param twice effects of events that had one before
 * @param misordered effects that overtook an earlier event of their aggregate
 * @param invented effects of events that were never committed like that
 */
record EffectFaults(List<String> lost, List<String> twice, List<String> misordered, List<String> invented) {

    static final EffectFaults NONE = new EffectFaults(List.of(), List.of(), List.of(), List.of());

    /**
     * Compares the events of a source with their effects.
     *
     * @param effects in the order of their insertion
     */
    static EffectFaults of(String source, Set<ServiceEvent> committed, List<ChaosEffect> effects) {
        Map<ServiceEvent, ChaosEffect> first = new HashMap<>();
        List<String> twice = new ArrayList<>();
        for (ChaosEffect effect : effects) {
            ChaosEffect before = first.putIfAbsent(effect.event(), effect);
            if (before != null) {
                twice.add("%s: %s, and before by %s".formatted(source, effect, before.instance()));
            }
        }
        return new EffectFaults(
                Verdict.missing(source, committed, first.keySet()),
                twice,
                misordered(source, List.copyOf(first.values())),
                Verdict.missing(source, first.keySet(), committed));
    }

    /**
     * An event overtakes the one before it if its transaction could not see that one's effect. Where an event is lost,
     * the next one has overtaken nothing.
     */
    private static List<String> misordered(String source, List<ChaosEffect> effects) {
        Map<Integer, NavigableMap<Long, ChaosEffect>> aggregates = new TreeMap<>();
        for (ChaosEffect effect : effects) {
            aggregates
                    .computeIfAbsent(effect.event().aggregate(), aggregate -> new TreeMap<>())
                    .put(effect.event().sequence(), effect);
        }
        List<String> misordered = new ArrayList<>();
        for (NavigableMap<Long, ChaosEffect> aggregate : aggregates.values()) {
            long before = 0;
            for (ChaosEffect effect : aggregate.values()) {
                if (effect.before() < before) {
                    misordered.add("%s: %s overtook %s".formatted(source, effect, aggregate.get(before)));
                }
                before = effect.event().sequence();
            }
        }
        return misordered;
    }

    EffectFaults and(EffectFaults other) {
        return new EffectFaults(
                both(lost, other.lost),
                both(twice, other.twice),
                both(misordered, other.misordered),
                both(invented, other.invented));
    }

    private static List<String> both(List<String> one, List<String> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    boolean isEmpty() {
        return equals(NONE);
    }

    /** The numbers for the last line. */
    String counts() {
        return "effects_lost=%d effects_twice=%d effects_out_of_order=%d"
                .formatted(lost.size(), twice.size(), misordered.size());
    }

    /** The first faults of each kind, a line each. */
    List<String> details(int shown) {
        List<String> lines = new ArrayList<>();
        lost.stream().limit(shown).forEach(event -> lines.add("no effect " + event));
        twice.stream().limit(shown).forEach(effect -> lines.add("second effect " + effect));
        misordered.stream().limit(shown).forEach(effect -> lines.add("effect out of order " + effect));
        invented.stream().limit(shown).forEach(event -> lines.add("effect never committed " + event));
        return lines;
    }
}
