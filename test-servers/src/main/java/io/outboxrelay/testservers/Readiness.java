package io.outboxrelay.testservers;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits until a server that was started answers. */
final class Readiness {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(25);

    /** Asks a server for its version, which it can give only when it is ready. */
    interface Question {
        String version() throws Exception;
    }

    private Readiness() {}

    /**
     * Asks until there is an answer.
     *
     * @param what the server, for the error
     * @param limit how long to wait
     * @param isAlive false when it is no use any more
     * @param log the end of the server's log, for the error
     * @return the server's version
     * @throws IllegalStateException when there was no answer in time, or the server or this JVM ended meanwhile
     */
    static String await(String what, Duration limit, Question question, BooleanSupplier isAlive, Supplier<String> log) {
        long end = System.nanoTime() + limit.toNanos();
        Exception last = null;
        while (!AtExit.exiting()) {
            try {
                return question.version();
            } catch (Exception e) {
                last = e;
            }
            boolean alive = isAlive.getAsBoolean();
            if (!alive || System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        "%s %s; last answer: %s; end of its log:%n%s"
                                .formatted(
                                        what,
                                        alive ? "did not answer within " + limit.toSeconds() + " s" : "ended at once",
                                        last.getMessage(),
                                        log.get()),
                        last);
            }
            pause();
        }
        throw new IllegalStateException(what + " was not awaited, because this JVM is exiting");
    }

    private static void pause() {
        try {
            Thread.sleep(BETWEEN_TRIES.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while waiting for a server", e);
        }
    }
}
