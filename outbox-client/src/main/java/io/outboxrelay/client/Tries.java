package io.outboxrelay.client;

import io.outboxrelay.client.Effects.Fault;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongUnaryOperator;

/**
 * How often one event has failed, and what follows. Only a failure that is the handler's own fault spends an attempt;
 * the others are free, up to a bound: an event that always finds its rows locked, or always kills its connection, has
 * to be given up too. Used by the worker's thread.
 */
final class Tries {

    /** A connection, or a whole database, that was lost this often under one event was lost because of it. */
    static final int MAX_LOST_CONNECTIONS = 20;

    /** How many events may have a memory of their failures at once. */
    private static final int MOST_REMEMBERED = 10_000;

    /** A database that fails just now is asked soon and often: the delivery in hand waits for it. */
    static final Backoff RECONNECT = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));

    private final ConsumerSettings settings;
    private final Backoff reconnect;
    private int spent;
    private int lostConnections;
    private int contentions;
    private long contendedSince;
    private boolean free;
    private boolean rejected;
    private int refusals;
    private Throwable cause = new IllegalStateException("has not failed yet");
    private Duration wait = Duration.ZERO;

    Tries(ConsumerSettings settings) {
        this.settings = settings;
        this.reconnect = RECONNECT.withDice(settings.backoff().dice());
    }

    /**
     * Counts a failure.
     *
     * @param cause why
     * @param now of {@link System#nanoTime}
     */
    void failed(Fault fault, Throwable cause, long now) {
        this.cause = cause;
        free = switch (fault) {
            case HANDLER -> false;
            case REJECTED -> {
                rejected = true;
                yield false;
            }
            case CONTENTION, TRANSIENT -> {
                if (contentions++ == 0) {
                    contendedSince = now;
                }
                // Those who met have to meet less often: the first wait is twice as long as after other failures.
                wait = settings.backoff().after(contentions + 1);
                yield now - contendedSince < settings.contentionPatience().toNanos();
            }
            case DATABASE, REFUSED -> {
                wait = reconnect.after(++lostConnections);
                yield lostConnections <= MAX_LOST_CONNECTIONS;
            }
        };
        if (!free) {
            spent++;
            wait = settings.backoff().after(spent);
        }
    }

    /** Remembers the latest events that have failed; more are not in hand together. Not safe for several threads. */
    static <K> Map<K, Tries> memory() {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, Tries> eldest) {
                return size() > MOST_REMEMBERED;
            }
        };
    }

    /** Why it failed last. */
    Throwable cause() {
        return cause;
    }

    /**
     * Counts that it could not be stored, which the database has refused unless the session was lost meanwhile.
     *
     * @return how often the database has refused
     */
    int notStored(boolean sessionLost) {
        if (sessionLost && lostConnections < MAX_LOST_CONNECTIONS) {
            wait = reconnect.after(++lostConnections);
        } else {
            wait = settings.backoff().after(++refusals);
        }
        return refusals;
    }

    /** Whether the last failure spent no attempt. */
    boolean lastWasFree() {
        return free;
    }

    /** How many attempts are spent. */
    int spent() {
        return spent;
    }

    /** Whether the event is to be given up. */
    boolean exhausted() {
        return rejected || spent >= settings.attempts();
    }

    /** Whether the event is given up because no retry can help. */
    boolean rejected() {
        return rejected;
    }

    /** How long to wait before the next try. */
    Duration untilNext() {
        return wait;
    }

    /**
     * The wait after failures in a row: it doubles up to a limit, and its upper half is random, so that many who failed
     * together do not come back together.
     *
     * @param first the longest wait after the first failure
     * @param longest the longest wait of all
     * @param dice a random number from zero to below its argument; a simulation has its own
     */
    record Backoff(Duration first, Duration longest, LongUnaryOperator dice) {

        Backoff {
            if (first.isNegative() || first.isZero() || longest.compareTo(first) < 0) {
                throw new IllegalArgumentException("A backoff from " + first + " to " + longest
                        + " is impossible: the first must be positive and no longer than the longest");
            }
        }

        Backoff(Duration first, Duration longest) {
            this(first, longest, bound -> ThreadLocalRandom.current().nextLong(bound));
        }

        Backoff withDice(LongUnaryOperator others) {
            return new Backoff(first, longest, others);
        }

        /** The wait after so many failures in a row, counted from 1. */
        Duration after(int failures) {
            long limit = longest.toNanos();
            long most = failures > 62 ? limit : Math.min(limit, saturatedShift(first.toNanos(), failures - 1));
            return Duration.ofNanos(most / 2 + dice.applyAsLong(most / 2 + 1));
        }

        private static long saturatedShift(long value, int bits) {
            return value > Long.MAX_VALUE >> bits ? Long.MAX_VALUE : value << bits;
        }
    }
}
