package io.outboxrelay.client;

/**
 * How many events of a consumer the table {@code inbox_failure} holds, each number counted up to
 * {@value #MOST_COUNTED}. All processes of the consumer share them.
 *
 * @param retrying those that have an attempt before them: a person retries them, or they have moved up
 * @param parked those that were given up and need a person
 * @param waiting those that wait behind an earlier event of their aggregate
 */
public record StoredCounts(long retrying, long parked, long waiting) {

    /** Counting ends there: a larger number says nothing more, and would cost more. */
    public static final int MOST_COUNTED = 10_000;
}
