package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.FailureActs.Candidate;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongConsumer;

/**
 * The failed events of one database, at one end of their way: those that the relay could not publish, or those that
 * consumers gave up. Changes need the rights of the role {@code outbox_admin}, questions those of {@code outbox_relay}
 * or {@code outbox_consumer}. Every method throws a {@link Failures.UnavailableException} when the database cannot be
 * used.
 *
 * <p>A change locks what a relay or a consumer locks before it writes a failure. Then it decides again what to change,
 * keeps the order of the aggregates, and notes in {@code outbox_audit} what it did, all in one transaction. A
 * transaction changes at most {@link #MOST_AT_ONCE} rows, since others wait for it: a relay cannot renew its lease of a
 * locked lane. Rows changed before a crash stay changed, and the command can be repeated.
 */
public final class FailedEvents {

    /** Most rows that one transaction changes while it holds their lanes: 0.2 to 1.2 s on two busy cores. */
    static final int MOST_AT_ONCE = 1_000;

    private final FailureActs sql;
    private final CommandActs audit;
    private final CommandTransactions transactions;
    private final String prefix;

    /**
     * @param sql the table of failures
     * @param audit where changes are noted
     * @param transactions in which they are made
     * @param prefix of the actions in the audit; empty, or ends with a space
     */
    FailedEvents(FailureActs sql, CommandActs audit, CommandTransactions transactions, String prefix) {
        this.sql = sql;
        this.audit = audit;
        this.transactions = transactions;
        this.prefix = prefix;
    }

    /** Lists the oldest failures, at most so many, and counts all of them, at one instant. */
    public Listing list(Filter filter, int limit) {
        return transactions.read(() -> new Listing(
                sql.countByState(filter),
                sql.countWaitingBehind(filter),
                sql.countByReason(filter),
                sql.list(filter, limit)));
    }

    /** Finds the failures of an event: at most one of the relay, and one of each consumer. */
    public List<Failure> find(UUID event) {
        return transactions.read(() -> sql.find(event));
    }

    /** Counts failures. */
    public long count(Filter filter) {
        return transactions.read(() -> sql.count(filter));
    }

    /**
     * Retries parked events with a fresh attempt count, in order per aggregate.
     *
     * @param filter which; of these only the parked ones
     * @param note who does it and why
     * @param progress receives after every transaction how many rows have been changed so far
     * @return how many rows this call changed: of two calls at the same time, only one changes a row
     */
    public long retry(Filter filter, Note note, LongConsumer progress) {
        Filter parked = filter.in(Set.of(State.PARKED));
        return change(
                parked, progress, rows -> audited(sql.retry(parked, rows).size(), "retry", parked.toString(), note));
    }

    /**
     * Retries parked events, and brings forward the next attempt of those that are retrying, which keep their attempts.
     *
     * @param filter which; of these only those that are parked or retrying
     * @param note who does it and why
     * @param progress receives after every transaction how many rows have been changed so far
     * @return how many rows this call changed
     */
    public long retryNow(Filter filter, Note note, LongConsumer progress) {
        Filter both = filter.in(Set.of(State.PARKED, State.RETRYING));
        return change(both, progress, rows -> {
            // In this order: a parked event that is retried is retrying at once.
            int events =
                    sql.bringForward(filter.in(Set.of(State.RETRYING)), rows).size()
                            + sql.retry(filter.in(Set.of(State.PARKED)), rows).size();
            return audited(events, "retry now", both.toString(), note);
        });
    }

    /**
     * Deletes events that failed or are paused. The next events of their aggregates move up. A consumer's event also
     * counts as processed from then on, so that a redelivery does not bring it back.
     *
     * @param filter which; of these not the waiting ones, which have not failed
     * @param note who does it and why; the audit adds the ids of the deleted events
     * @param progress receives after every transaction how many events have been deleted so far
     * @return how many events this call deleted
     */
    public long discard(Filter filter, Note note, LongConsumer progress) {
        Filter shown = filter.in(State.SHOWN);
        return change(shown, progress, rows -> {
            List<String> events = sql.discard(shown, rows);
            return audited(events.size(), "discard", shown + ": " + String.join(", ", events), note);
        });
    }

    /** Changes the rows that fit now. An event that moves up behind a discarded one, or fails later, is not meant. */
    private long change(Filter filter, LongConsumer progress, Change one) {
        List<Candidate> chosen = transactions.read(() -> sql.candidates(filter));
        long changed = 0;
        for (int from = 0; from < chosen.size(); from += MOST_AT_ONCE) {
            List<Candidate> some = chosen.subList(from, Math.min(chosen.size(), from + MOST_AT_ONCE));
            changed += transactions.change(() -> {
                sql.lock(some);
                return one.apply(some.stream().map(Candidate::id).toList());
            });
            progress.accept(changed);
        }
        return changed;
    }

    private int audited(int events, String action, String what, Note note) {
        if (events > 0) {
            audit.note(prefix + action, what, events, note);
        }
        return events;
    }

    private interface Change {

        /** Changes those of some rows that still fit, and returns how many. */
        int apply(List<Long> rows);
    }
}
