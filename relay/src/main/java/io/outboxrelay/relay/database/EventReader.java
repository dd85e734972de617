package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
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
 * Reads events one by one and column by column: whatever a writer has put into a row, the others are read, and this one is
 * {@link Event#unreadable()} with its position, and its id if that can be read.
 *
 * <p>The columns are, in this order: position, event_id, aggregate_type, aggregate_id, event_type, size of the payload,
 * payload, content_type, headers, occurred_at.
 *
 * @param id reads an event's id
 * @param time reads a time; null when the row has none
 */
record EventReader(Column<UUID> id, Column<Instant> time) {

    private static final UUID NO_ID = new UUID(0, 0);
    private static final String DATA_EXCEPTION = "22";
    private static final char REPLACEMENT = '\ufffd';

    /** How a driver gives the value of a column. */
    public interface Column<T> {

        /**
         * Reads one value.
         *
         * @param row the current row
         * @param n number of the column, from 1
         * @return the value; null when there is none
         * @throws SQLException if there is one that cannot be read
         */
        @Nullable
        T read(ResultSet row, int n) throws SQLException;
    }

    /**
     * Reads the current row.
     *
     * <p>An aggregate whose name cannot be read is taken for one of this event only: none of its events can be read, so that
     * none can overtake another.
     *
     * @param row its cursor
     * @param kept the event's place among the failures; null when it comes from the outbox
     * @return the event
     * @throws SQLException if not the row is at fault, but the connection
     */
    public Event event(ResultSet row, Event.@Nullable Kept kept) throws SQLException {
        return event(row, kept, new ArrayList<>(0));
    }

    /**
     * Reads the current row, of which is known that it cannot be read.
     *
     * @param row its cursor
     * @param kept the event's place among the failures; null when it comes from the outbox
     * @return the event, which is {@link Event#unreadable()}
     * @throws SQLException if not the row is at fault, but the connection
     */
    public Event unreadable(ResultSet row, Event.@Nullable Kept kept) throws SQLException {
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

    /**
     * Reads a value that may be anything.
     *
     * @param row the current row
     * @param n number of the column
     * @param column how it is read
     * @return the value; empty when there is none, or it cannot be read
     * @throws SQLException if not the value is at fault, but the connection
     */
    public static <T extends Object> Optional<T> readable(ResultSet row, int n, Column<T> column) throws SQLException {
        try {
            return Optional.ofNullable(column.read(row, n));
        } catch (SQLException e) {
            if (e instanceof SQLDataException || String.valueOf(e.getSQLState()).startsWith(DATA_EXCEPTION)) {
                return Optional.empty();
            }
            throw e;
        } catch (RuntimeException e) { // a driver's: of a date that no calendar has, for instance
            return Optional.empty();
        }
    }

    /**
     * Reads the name of an aggregate.
     *
     * @param row the current row
     * @param type number of the column with its type
     * @param id number of the column with its id
     * @return the aggregate; empty when its name is no text, so that none of its events can be published
     * @throws SQLException if not the value is at fault, but the connection
     */
    public static Optional<Aggregate> aggregate(ResultSet row, int type, int id) throws SQLException {
        Optional<String> its = readable(row, id, EventReader::text);
        return readable(row, type, EventReader::text).flatMap(name -> its.map(one -> new Aggregate(name, one)));
    }

    /**
     * Leaves out what is not known.
     *
     * @param aggregates what was read
     * @return those whose names could be read
     */
    public static Set<Aggregate> known(List<Optional<Aggregate>> aggregates) {
        return aggregates.stream().flatMap(Optional::stream).collect(Collectors.toCollection(HashSet::new));
    }

    /**
     * Reads text to be shown.
     *
     * @param row the current row
     * @param n number of the column, which is text or its bytes
     * @return it, with signs in the place of what is none; empty when there is none
     * @throws SQLException if the connection is at fault
     */
    public static String shown(ResultSet row, int n) throws SQLException {
        byte[] bytes = row.getBytes(n);
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * The same, by the name of a column.
     *
     * @param row the current row
     * @param column its name
     * @return the text
     * @throws SQLException if the connection is at fault
     */
    public static String shown(ResultSet row, String column) throws SQLException {
        return shown(row, row.findColumn(column));
    }

    /** Not by the driver: PostgreSQL's throws at what is no text, and MariaDB's puts in what may as well have been written. */
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
