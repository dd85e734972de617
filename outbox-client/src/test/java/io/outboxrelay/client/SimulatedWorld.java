package io.outboxrelay.client;

/**
 * What the simulated servers know of a {@link ConsumerSimulation}: the clock, the dice, and that other things happen
 * whenever a process waits for an answer.
 */
interface SimulatedWorld {

    /** The same for all, in nanoseconds. */
    long now();

    /** Whether a fault of this probability happens; none does when all faults have ceased. */
    boolean chance(double probability);

    /** How many faults there are in this history: a small probability, zero when they have ceased. */
    double trouble();

    /** A number from zero to below the bound. */
    int draw(int bound);

    /** Counts a fault that was met. */
    void noted(String fault);

    /** Says what happens, for whoever follows one history. */
    void traced(Object what);

    /** The history is wrong. */
    void violated(String how);

    /** The process that is asking. */
    Object caller();

    /** Whether a process has not ended. */
    boolean isAlive(Object process);

    /** Whether a process takes what the broker sends. */
    boolean takes(Object process);

    /**
     * Other things happen while the caller waits for an answer.
     *
     * @throws Crash if its process ends meanwhile
     */
    void meanwhile();

    /** The caller may be frozen here, while others take over what it has in hand. */
    void freeze();

    /** The same as {@link #meanwhile} for a caller who holds a lock, so that only other processes can do anything. */
    void meanwhileElsewhere();

    /** A process has ended, at whatever it was doing. Nobody takes it for a failure of a handler. */
    final class Crash extends VirtualMachineError {
        private static final long serialVersionUID = 1;

        Crash() {
            super("crash");
        }

        @Override
        public Throwable fillInStackTrace() {
            return this;
        }
    }
}
