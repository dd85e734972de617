package io.outboxrelay.bench;

import io.outboxrelay.testservers.ShiftedClock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Chooses how wrong the clocks of processes are.
 *
 * @param library shifts them; without it all clocks are right
 */
record WrongClock(Optional<ShiftedClock> library) {

    private static final int MOST_SECONDS = 600;

    boolean isAvailable() {
        return library.isPresent();
    }

    /** Up to ten minutes early or late; one time in three none. */
    Offset anyOffset(RandomGenerator random) {
        int seconds = random.nextInt(3) == 0 ? 0 : random.nextInt(-MOST_SECONDS, MOST_SECONDS + 1);
        return new Offset(library, library.isPresent() ? seconds : 0);
    }

    /**
     * How wrong a clock is.
     *
     * @param library shifts it
     * @param seconds added to the date
     */
    record Offset(Optional<ShiftedClock> library, int seconds) {

        /** The environment of a process with this clock. */
        Map<String, String> added(Map<String, String> environment) {
            Map<String, String> all = new HashMap<>(environment);
            if (seconds != 0) {
                library.ifPresent(clock -> all.putAll(clock.offBy(Duration.ofSeconds(seconds))));
            }
            return all;
        }

        @Override
        public String toString() {
            return seconds == 0 ? "clock right" : "clock %+d s off".formatted(seconds);
        }
    }
}
