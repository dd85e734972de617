package io.outboxrelay.bench;

import io.outboxrelay.testservers.ServiceEvent;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How far a chaos run has caught up, source by source, and its consumers.
 *
 * @param arrived different events that have arrived
 * @param backlogs events that the relays have not finished
 * @param consumers what the consumers have done
 */
record Progress(List<Integer> arrived, List<ChaosSource.Backlog> backlogs, ChaosEffects.Progress consumers) {

    /** Before the first look. */
    static final Progress NONE = new Progress(List.of(), List.of(), new ChaosEffects.Progress(0, 0));

    /** Whether enough events have arrived, and had an effect. */
    boolean isOver(List<Set<ServiceEvent>> committed) {
        return isIdle()
                && consumers.stored() == 0
                && consumers.effects()
                        >= committed.stream().mapToLong(Set::size).sum()
                && IntStream.range(0, committed.size())
                        .allMatch(source ->
                                arrived.get(source) >= committed.get(source).size());
    }

    /** Whether the relays have no event left. */
    boolean isIdle() {
        return backlogs.stream().allMatch(ChaosSource.Backlog::isEmpty);
    }

    /** Whether an event waits for another attempt or for a person. */
    boolean hasFailures() {
        return backlogs.stream().anyMatch(backlog -> backlog.failures() > 0);
    }

    String describe(List<String> sources, List<Set<ServiceEvent>> committed) {
        return IntStream.range(0, sources.size())
                .mapToObj(source -> "%s: %d of %d arrived, %s"
                        .formatted(
                                sources.get(source),
                                arrived.get(source),
                                committed.get(source).size(),
                                backlogs.get(source)))
                .collect(Collectors.joining(
                        "; ", "", "; %d effects, %d stored".formatted(consumers.effects(), consumers.stored())));
    }
}
