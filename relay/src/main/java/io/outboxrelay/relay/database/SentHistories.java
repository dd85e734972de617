package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Rows;
import io.outboxrelay.relay.database.Published.Selection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Which histories of one outbox were sent to consumers that catch up, and how far. Needs the rights of the role
 * {@code outbox_admin}. Each statement is a transaction of its own. Every method throws a
 * {@link Failures.UnavailableException} when the database cannot be used.
 */
public final class SentHistories {

    /** The table outbox_subscription has come with it. */
    private static final int NEEDED_VERSION = 5;

    /** A larger backlog is not counted. */
    private static final int MOST_COUNTED = 10_000;

    private final CommandActs sql;
    private final CommandTransactions transactions;
    private final JdbcTemplate database;

    /** @param database on the connections of the transactions */
    SentHistories(CommandActs sql, CommandTransactions transactions, JdbcTemplate database) {
        this.sql = sql;
        this.transactions = transactions;
        this.database = database;
    }

    /** Checks that the tables are new enough. */
    public void requireVersion() {
        transactions.requireVersion("outbox", NEEDED_VERSION);
    }

    /** {@return the highest position in the outbox; 0 if it is empty} */
    public long highestPosition() {
        return number("SELECT coalesce(max(position), 0) FROM SCHEMA.outbox");
    }

    /**
     * Counts the events that may have been published and are not retained yet: those in the outbox up to a position, at
     * most 10,000, and those that the broker may still hold.
     */
    public long undecided(long upTo) {
        return number("""
                SELECT (SELECT count(*) FROM (SELECT 1 FROM SCHEMA.outbox WHERE position <= ? LIMIT ?) AS counted)
                     + (SELECT count(*) FROM SCHEMA.outbox_failure
                        WHERE next_attempt_at IS NOT NULL AND reason = 'unanswered')
                """, upTo, MOST_COUNTED);
    }

    /** {@return the highest id of a retained event; 0 if there is none} */
    public long highestPublished() {
        return number("SELECT coalesce(max(id), 0) FROM SCHEMA.outbox_published");
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
        return asked(
                () -> database.query(sql.in("""
                        SELECT subscription, what, sent_up_to, events, completed_at FROM SCHEMA.outbox_subscription
                        WHERE queue = ?
                        """), this::sent, queue).stream().findFirst());
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
            update("DELETE FROM SCHEMA.outbox_subscription WHERE queue = ?", queue);
            update(
                    "INSERT INTO SCHEMA.outbox_subscription (queue, subscription, what, sent_up_to)"
                            + " VALUES (?, ?, ?, ?)",
                    queue,
                    sql.bound(subscription),
                    what,
                    after);
            return new Sent(subscription, what, after, 0, null);
        });
    }

    /** Notes how far it is: everything up to this id is confirmed or left out, so many events in all. */
    public void reached(String queue, long upTo, long events) {
        transactions.change(() -> update(
                "UPDATE SCHEMA.outbox_subscription SET sent_up_to = ?, events = ? WHERE queue = ?",
                upTo,
                events,
                queue));
    }

    /** Notes that all of it was sent. */
    public void complete(String queue) {
        transactions.change(() -> sql.sentAll(queue));
    }

    private Sent sent(ResultSet row, int n) throws SQLException {
        Rows rows = sql.rows();
        return new Sent(
                Objects.requireNonNull(rows.reader().id().read(row, 1)),
                row.getString("what"),
                row.getLong("sent_up_to"),
                row.getLong("events"),
                rows.time(row, "completed_at"));
    }

    private long number(String question, Object... values) {
        return Objects.requireNonNull(asked(() -> database.queryForObject(sql.in(question), Long.class, values)));
    }

    private int update(String statement, Object... values) {
        return database.update(sql.in(statement), values);
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
