package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads events one by one and column by column. Whatever a writer has put into a row, all others are read; this one is
 * {@link Event#unreadable()} with its position, and with its id if that can be read. Every method throws an
 * {@link SQLException} only when the connection is at fault, not the row.
 *
 * <p>The columns are, in this order: position, event_id, aggregate_type, aggregate_id, event_type, size of the payload,
 * payload, content_type, headers, occurred_at, lane.
 *
 * @param id reads an event's id
 * @param time reads a time; null when the row has none
 */
record EventReader(Column<UUID> id, Column<Instant> time) {

    private static final UUID NO_ID = new UUID(0, 0);
    private static final String DATA_EXCEPTION = "22";
    private static final char REPLACEMENT = '\ufffd';

    /** Reads a column, by its number from 1. Returns null for no value, and throws if the value cannot be read. */
    interface Column<T> {

        @Nullable
        T read(ResultSet row, int n) throws SQLException;
    }

    /**
     * Reads the current row.
     *
     * <p>An aggregate whose name cannot be read is taken for one of this event only: none of its events can be read, so
     * none can overtake another.
     *
     * @param row its cursor
     * @param kept the event's place among the failures; null when it comes from the outbox
     */
    Event event(ResultSet row, Event.@Nullable Kept kept) throws SQLException {
        return event(row, kept, new ArrayList<>(0));
    }

    /** Reads the current row, which is known to be {@link Event#unreadable()}. */
    Event unreadable(ResultSet row, Event.@Nullable Kept kept) throws SQLException {
        return event(row, kept, new ArrayList<>(List.of("its texts cannot be converted to UTF-8")));
    }

    private Event event(ResultSet row, Event.@Nullable Kept kept, List<String> faults) throws SQLException {
        long position = row.getLong(1);
        UUID eventId = or(NO_ID, readable(row, 2, id), "event_id is not a valid id", faults);
        Aggregate aggregate = aggregate(row, 3, 4).orElse(null);
        if (aggregate == null) {
            faults.add("the name of its aggregate is no text");
            aggregate = new Aggregate(shown(row, 3), shown(row, 4) + " at position " + position, false);
        }
        String type = text(row, 5, "event_type is not valid text", faults);
        String contentType = text(row, 8, "content_type is not valid text", faults);
        String headers =
                or("{}", readable(row, 9, EventReader::text), "headers are not valid text, or too large", faults);
        Instant occurredAt = or(Instant.EPOCH, readable(row, 10, time), "occurred_at is not a valid time", faults);
        return new Event(
                row.getInt(11),
                position,
                eventId,
                aggregate,
                type,
                row.getInt(6),
                row.getBytes(7),
                contentType,
                headers,
                occurredAt,
                kept,
                faults.isEmpty() ? null : "its row cannot be read: " + String.join("; ", faults));
    }

    private static <T extends Object> T or(T instead, Optional<T> value, String fault, List<String> faults) {
        if (value.isEmpty()) {
            faults.add(fault);
        }
        return value.orElse(instead);
    }

    private static String text(ResultSet row, int n, String fault, List<String> faults) throws SQLException {
        Optional<String> text = readable(row, n, EventReader::text);
        return text.isPresent() ? text.get() : or(shown(row, n), text, fault, faults);
    }

    /** Reads a value that may be anything. Returns empty when there is none, or it cannot be read. */
    static <T extends Object> Optional<T> readable(ResultSet row, int n, Column<T> column) throws SQLException {
        try {
            return Optional.ofNullable(column.read(row, n));
        } catch (SQLException e) {
            if (e instanceof SQLDataException || String.valueOf(e.getSQLState()).startsWith(DATA_EXCEPTION)) {
                return Optional.empty();
            }
            throw e;
        } catch (RuntimeException e) { // from the driver, for example for an impossible date
            return Optional.empty();
        }
    }

    /** Reads the name of an aggregate. Returns empty when it is not valid text: none of its events can be published. */
    static Optional<Aggregate> aggregate(ResultSet row, int type, int id) throws SQLException {
        Optional<String> its = readable(row, id, EventReader::text);
        return readable(row, type, EventReader::text).flatMap(name -> its.map(one -> new Aggregate(name, one)));
    }

    /** Returns the aggregates whose names could be read. */
    static Set<Aggregate> known(List<Optional<Aggregate>> aggregates) {
        return aggregates.stream().flatMap(Optional::stream).collect(Collectors.toCollection(HashSet::new));
    }

    /** Reads text or its bytes for display, with replacement characters for what is not valid. Returns "" for null. */
    static String shown(ResultSet row, int n) throws SQLException {
        byte[] bytes = row.getBytes(n);
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    /** Reads the same by the name of the column. */
    static String shown(ResultSet row, String column) throws SQLException {
        return shown(row, row.findColumn(column));
    }

    /** Not by the driver: PostgreSQL's throws, and MariaDB's returns text that a writer may as well have written. */
    private static @Nullable String text(ResultSet row, int n) throws SQLException {
        byte[] bytes = row.getBytes(n);
        if (bytes == null) {
            return null;
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) >= 0 && !Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
            throw new SQLDataException("not UTF-8");
        }
        return text;
    }
}
