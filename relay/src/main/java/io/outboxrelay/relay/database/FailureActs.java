package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What a command asks of a table of failed events: the relay's {@code outbox_failure}, or the consumers'
 * {@code inbox_failure}. An act runs in the transaction of the caller.
 */
interface FailureActs {

    Map<State, Long> countByState(Filter filter);

    /** Counts the events that wait behind the failures that match. */
    long countWaitingBehind(Filter filter);

    /** Counts failures by reason (or state, without one) and types: the {@link Failures#MOST_GROUPS} largest groups. */
    List<Group> countByReason(Filter filter);

    /** Lists the first failures, in the order of their rows. */
    List<Failure> list(Filter filter, int limit);

    /** Finds the failures of an event: the relay has at most one, and each consumer. */
    List<Failure> find(UUID event);

    long count(Filter filter);

    /** Returns the rows that may be changed, in their order. */
    List<Candidate> candidates(Filter filter);

    /** Locks, in ascending order as everybody does, what nobody else may change meanwhile. */
    void lock(List<Candidate> candidates);

    /**
     * Gives parked rows a next attempt, with fresh attempts. The order of their aggregates stays.
     *
     * @param filter decides again: others may have changed the rows before they were locked
     * @param rows ids of failures
     * @return the events that were changed, as the audit names them
     */
    List<String> retry(Filter filter, List<Long> rows);

    /**
     * Makes the next attempt of retrying rows due now.
     *
     * @param filter decides again: others may have changed the rows before they were locked
     * @param rows ids of failures
     * @return the events that were changed, as the audit names them
     */
    List<String> bringForward(Filter filter, List<Long> rows);

    /**
     * Deletes rows for good. The order of their aggregates stays.
     *
     * @param filter decides again: others may have changed the rows before they were locked
     * @param rows ids of failures
     * @return the events that were deleted, as the audit names them
     */
    List<String> discard(Filter filter, List<Long> rows);

    /** A failure that may be changed. Those of consumers have no lane: 0. */
    record Candidate(long id, int lane) {}
}
