package io.outboxrelay.bench;

import java.util.random.RandomGenerator;

/** A target of faults. One thread at a time calls it. */
interface Victim {

    /** Its name in the chronicle. */
    String name();

    /**
     * Picks a fault, records it in the chronicle, and returns when the fault is over and the target is running again.
     *
     * @throws IllegalStateException when it does not come back
     */
    void strike(RandomGenerator random) throws Exception;
}
