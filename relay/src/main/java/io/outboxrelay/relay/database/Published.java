package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.lane.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The retained events of one outbox, for a replay. Needs the rights of the role {@code outbox_admin}, since it writes
 * to the audit. Retained rows never change, so each statement is a transaction of its own. Every method throws a
 * {@link Failures.UnavailableException} when the database cannot be used.
 */
public final class Published {

    private final CommandActs sql;
    private final TransactionTemplate transaction;

    Published(DataSource connections, CommandActs sql) {
        this.sql = sql;
        this.transaction = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.transaction.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
    }

    /** {@return the database's time} */
    public Instant now() {
        return CommandTransactions.asked(sql, sql::now);
    }

    /** Counts the events of a selection that are behind a place. */
    public Extent extent(Selection selection, long after) {
        return CommandTransactions.asked(sql, () -> sql.extent(selection, after));
    }

    /**
     * Reads the next events, in the order of publishing within each aggregate.
     *
     * @param selection which events
     * @param after the place behind which to read
     * @param limits limits of this read
     * @return the events, whose {@link Event#position()} is their place; empty at the end
     */
    public List<Event> next(Selection selection, long after, Limits limits) {
        return CommandTransactions.asked(sql, () -> sql.next(selection, after, limits));
    }

    /**
     * Names the transactions that are settling now. Once all of them have ended, everything settled before this call
     * can be read.
     *
     * @return their names, which no other transaction will ever have, each with what is known of its session
     */
    public Set<String> settling() {
        return CommandTransactions.asked(
                sql,
                () -> Objects.requireNonNull(transaction.execute(status -> {
                    sql.limit();
                    return sql.settling();
                })));
    }

    /** Notes in the audit that events are published again. Returns the number of the note. */
    public long note(String action, String what, long events, Note note) {
        return CommandTransactions.asked(sql, () -> sql.note(action, what, events, note));
    }

    /**
     * Selects the events that match every given value.
     *
     * @param events ids; empty for any
     * @param from published then or later; null for any time
     * @param to published before; null for any time
     * @param eventType null for any
     * @param aggregateType null for any
     * @param aggregateId null for any
     */
    public record Selection(
            List<UUID> events,
            @Nullable Instant from,
            @Nullable Instant to,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId) {

        /** {@return whether it excludes anything} */
        public boolean isNarrowed() {
            return !events.isEmpty()
                    || Stream.of(from, to, eventType, aggregateType, aggregateId)
                            .anyMatch(Objects::nonNull);
        }

        /**
         * Limits the selection to events published before a time.
         *
         * @param time the latest end
         * @return the same selection, with this end if it had a later one
         */
        public Selection before(Instant time) {
            Instant end = to == null || to.isAfter(time) ? time : to;
            return new Selection(events, from, end, eventType, aggregateType, aggregateId);
        }

        /** Describes itself for the audit. */
        @Override
        public String toString() {
            List<String> words = new ArrayList<>();
            add(
                    words,
                    "events",
                    events.isEmpty()
                            ? null
                            : events.stream().map(UUID::toString).collect(Collectors.joining(", ")));
            add(words, "published from", from);
            add(words, "published before", to);
            add(words, "event type", eventType);
            add(words, "aggregate type", aggregateType);
            add(words, "aggregate id", aggregateId);
            return String.join(", ", words);
        }

        private static void add(List<String> words, String what, @Nullable Object value) {
            if (value != null) {
                words.add(what + " " + value);
            }
        }
    }

    /**
     * The size of a selection.
     *
     * @param events how many
     * @param oldest if nothing matches, when the oldest retained event was published; null if none is retained
     */
    public record Extent(long events, @Nullable Instant oldest) {}

    /**
     * Limits of one read.
     *
     * @param events most events
     * @param bytes most payload bytes; at least one event is read
     * @param largest a larger payload is not read
     */
    public record Limits(int events, long bytes, int largest) {}
}
