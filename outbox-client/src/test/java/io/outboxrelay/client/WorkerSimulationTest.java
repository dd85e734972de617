package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Thousands of histories of one consumer under every fault. A new set of seeds in every build; one that fails is
 * printed.
 */
class WorkerSimulationTest {

    private static final int HISTORIES = 2_000;
    /** Some faults are rare; a set of histories without one of them is followed by more. */
    private static final int MOST_SETS = 5;

    private static final List<String> TO_BE_MET = List.of(
            "answer to a commit lost",
            "attempt given back",
            "broker away",
            "connection lost",
            "consumer cancelled by the broker",
            "crash",
            "database away",
            "delivered too often",
            "discard by a person",
            "freeze",
            "handler ENDS_ITS_PROCESS",
            "handler FAILS",
            "handler IS_TRANSIENT",
            "handler LOSES_ITS_SESSION",
            "handler MEETS_OTHERS",
            "handler REJECTS",
            "met another transaction",
            "moved up",
            "parked",
            "parked again",
            "patience lost",
            "published again",
            "refused to store",
            "retry by a person",
            "session ended by the database",
            "stop",
            "stored events not handled",
            "to be tried again",
            "waiting");

    private static final Logger LOG = (Logger) LoggerFactory.getLogger("io.outboxrelay.client");

    @BeforeAll
    static void be_silent() {
        LOG.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak_again() {
        LOG.setLevel(null);
    }

    // hazards 89, 92
    @Test
    void in_every_history_effects_happen_once_and_in_order_and_nothing_is_lost_or_left() {
        long first = Long.getLong("simulation.seed", System.nanoTime());
        Map<String, Long> faults = new TreeMap<>();
        long effects = 0;
        long next = first;
        while (next == first
                || !faults.keySet().containsAll(TO_BE_MET) && next < first + (long) MOST_SETS * HISTORIES) {
            for (long seed : LongStream.range(next, next + HISTORIES).toArray()) {
                ConsumerSimulation.Result result = run(seed);
                effects += result.effects();
                result.faults().forEach((fault, times) -> faults.merge(fault, times, Long::sum));
            }
            next += HISTORIES;
        }
        System.out.printf(
                "simulation: histories=%d first_seed=%d effects=%d faults=%s%n", next - first, first, effects, faults);
        assertThat(faults).as("faults that were met").containsKeys(TO_BE_MET.toArray(String[]::new));
        assertThat(effects).isGreaterThan(HISTORIES * 10L);
    }

    private static ConsumerSimulation.Result run(long seed) {
        ConsumerSimulation simulation = new ConsumerSimulation(seed);
        try {
            return simulation.run();
        } catch (AssertionError | RuntimeException e) {
            return fail(
                    "seed " + seed + " (run it alone with -Dsimulation.seed=" + seed + "): " + e.getMessage()
                            + "; faults so far: " + simulation.history(),
                    e);
        }
    }
}
