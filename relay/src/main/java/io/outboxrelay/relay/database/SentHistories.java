package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Published.Selection;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which histories of one outbox were sent to consumers that catch up, and how far. Needs the rights of the role
 * {@code outbox_admin}. Each statement is a transaction of its own. Every method throws a
 * {@link Failures.UnavailableException} when the database cannot be used.
 */
public final class SentHistories {

    /** The table outbox_subscription has come with it. */
    private static final int NEEDED_VERSION = 5;

    /** A larger backlog is not counted. */
    static final int MOST_COUNTED = 10_000;

    private final CommandActs sql;
    private final CommandTransactions transactions;

    SentHistories(CommandActs sql, CommandTransactions transactions) {
        this.sql = sql;
        this.transactions = transactions;
    }

    /** Checks that the tables are new enough. */
    public void requireVersion() {
        transactions.requireVersion("outbox", NEEDED_VERSION);
    }

    /** {@return the highest position in the outbox; 0 if it is empty} */
    public long highestPosition() {
        return asked(sql::highestPosition);
    }

    /**
     * Counts the events that may have been published and are not retained yet: those in the outbox up to a position, at
     * most 10,000, and those that the broker may still hold.
     */
    public long undecided(long upTo) {
        return asked(() -> sql.countUndecided(upTo));
    }

    /** {@return the highest id of a retained event; 0 if there is none} */
    public long highestPublished() {
        return asked(sql::highestPublished);
    }

    /**
     * Returns what of a selection is retained.
     *
     * @param after the id of a retained event behind which to look
     * @param upTo the last id
     */
    public Reach reach(Selection selection, long after, long upTo) {
        return asked(() -> sql.reach(selection, after, upTo));
    }

    /** Finds the history that was sent to a queue, or is being sent. */
    public Optional<Sent> find(String queue) {
        return asked(() -> sql.sentTo(queue));
    }

    /**
     * Notes that a history begins, in the place of an earlier one.
     *
     * @param what which events, in words
     * @param after nothing up to this id is sent
     * @return the note
     */
    public Sent begin(String queue, UUID subscription, String what, long after) {
        return transactions.change(() -> {
            sql.forgetSent(queue);
            sql.beginSending(queue, subscription, what, after);
            return sql.sentTo(queue).orElseThrow();
        });
    }

    /** Notes how far it is: everything up to this id is confirmed or left out, so many events in all. */
    public void reached(String queue, long upTo, long events) {
        transactions.change(() -> sql.sentUpTo(queue, upTo, events));
    }

    /** Notes that all of it was sent. */
    public void complete(String queue) {
        transactions.change(() -> sql.sentAll(queue));
    }

    private <T> T asked(Supplier<T> question) {
        return CommandTransactions.asked(sql, question);
    }

    /**
     * A history that was sent to a queue.
     *
     * @param subscription the id of the message that ends it
     * @param what which events, in words
     * @param upTo everything up to this id of a retained event is confirmed, or left out
     * @param events how many events that were
     * @param completedAt when all was sent; null while it is not
     */
    public record Sent(
            UUID subscription,
            String what,
            long upTo,
            long events,
            @Nullable Instant completedAt) {}

    /**
     * What is retained of a selection.
     *
     * @param events how many
     * @param oldest when the oldest retained event of the outbox was published; null if none is retained
     */
    public record Reach(long events, @Nullable Instant oldest) {}
}
