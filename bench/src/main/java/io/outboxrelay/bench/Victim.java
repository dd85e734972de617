package io.outboxrelay.bench;

import java.util.random.RandomGenerator;

/** Something that faults befall. One thread at a time calls it. */
interface Victim {

    /** What it is called in the chronicle. */
    String name();

    /**
     * Picks a fault, tells the chronicle, and returns when the fault is over and the victim has been started again.
     *
     * @throws IllegalStateException when it does not come back
     */
    void strike(RandomGenerator random) throws Exception;
}
