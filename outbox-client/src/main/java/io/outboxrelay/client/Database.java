package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The SQL of one kind of database. Holds no state; every method works in the transaction of the given connection. */
interface Database {

    /** Behind a lock, or in a table full of dead rows, a backlog is not worth a connection of the pool. */
    int LONGEST_BACKLOG_SECONDS = 2;

    /** The same on every database, with the name of the schema before that of the table. */
    String STORED = """
            SELECT count(*) FROM (
                SELECT 1 FROM %sinbox_failure WHERE consumer = ? AND state = ? LIMIT ?) AS counted""";

    /** What is known of an event that is still stored when its attempt should be over. */
    String ENDED = "The process ended during the last attempt, or it is still at it";

    /**
     * Finds out what a connection leads to.
     *
     * @param connection asked for its metadata
     * @param schema where the tables are installed, a plain identifier
     */
    static Database of(Connection connection, String schema) throws SQLException {
        return connection.getMetaData().getDatabaseProductName().equals("PostgreSQL")
                ? new PostgresDatabase(schema)
                : new MariaDatabase(schema);
    }

    /** Adds events to the outbox, positions in the order of the list. */
    void add(Connection connection, List<Row> events) throws SQLException;

    /** Notes an event in the inbox; false, and the transaction goes on, if it was noted before. */
    boolean note(Connection connection, String consumer, UUID eventId) throws SQLException;

    /**
     * Notes events in the inbox, and finds out which of them have to wait, because an event of their aggregate is
     * stored. The order matters: an event that another process was storing is stored by the time that it is found
     * noted.
     */
    Noted note(Connection connection, String consumer, List<ReceivedEvent> events) throws SQLException;

    /** Stores events that are noted, in the order of the list; what is stored already stays as it is. */
    void store(Connection connection, String consumer, List<Failed> events) throws SQLException;

    /** The ids of the stored events that are due, the most overdue first. */
    List<Long> due(Connection connection, String consumer, int most) throws SQLException;

    /**
     * Locks those stored events that nobody else has locked.
     *
     * @param due whether they have to be due
     * @return in any order
     */
    List<Place> lock(Connection connection, List<Long> ids, boolean due) throws SQLException;

    /**
     * The first stored events of these aggregates, in the order of their ids within each. Locks nothing.
     *
     * @param most of all of them together
     */
    List<Place> first(Connection connection, String consumer, Collection<Aggregate> aggregates, int most)
            throws SQLException;

    /** Reads stored events, in any order. */
    List<StoredEvent> read(Connection connection, List<Long> ids) throws SQLException;

    /** Those of these stored events that are still there, in any order. */
    List<Long> existing(Connection connection, List<Long> ids) throws SQLException;

    /**
     * Counts an attempt at each of these stored events before it is made.
     *
     * @param wait until those that are due are due again
     * @param detail what is known of those that were due, should nobody write what has become of the attempt
     */
    void count(Connection connection, List<Long> ids, Duration wait, String reason, String detail) throws SQLException;

    /** Deletes stored events that are handled, and notes them again if the inbox has forgotten them. */
    void remove(Connection connection, String consumer, List<StoredEvent> events) throws SQLException;

    /**
     * Says what follows from a failure of a stored event, unless it is gone or parked.
     *
     * @param wait until the next attempt; none if it is parked
     * @return false if it is gone or parked
     */
    boolean failedAgain(
            Connection connection, long id, int attempts, @Nullable Duration wait, String reason, String detail)
            throws SQLException;

    /**
     * Takes an attempt off stored events that was counted and did not end by their own fault; those retrying are due.
     * {@link #ENDED} is no longer true of them; the words before it are gone.
     */
    void giveBack(Connection connection, List<Long> ids) throws SQLException;

    /** The first stored events of all aggregates, as far as they are waiting, which a first one must not. */
    List<Long> waitingHeads(Connection connection, String consumer) throws SQLException;

    /** The first stored events of these aggregates, as far as they are waiting. */
    List<Long> waitingHeads(Connection connection, String consumer, Collection<Aggregate> aggregates)
            throws SQLException;

    /** Makes waiting events due. */
    void makeDue(Connection connection, List<Long> ids) throws SQLException;

    /** Counts a consumer's stored events by their state, each up to a number. */
    StoredCounts stored(Connection connection, String consumer, int most) throws SQLException;

    /**
     * Says that an instance of a consumer is alive, and forgets those that are not.
     *
     * @return all that are alive, in an order that is the same for each
     */
    List<String> alive(Connection connection, String consumer, String instance, Duration lease) throws SQLException;

    /** Forgets an instance of a consumer. */
    void left(Connection connection, String consumer, String instance) throws SQLException;

    /** The queues whose history a consumer has handled. */
    List<String> histories(Connection connection, String consumer) throws SQLException;

    /**
     * Remembers that a consumer has handled the history of a queue.
     *
     * @return false if that is remembered already
     */
    boolean historyEnded(Connection connection, String consumer, String queue, UUID subscription) throws SQLException;

    /** Counts those of the events whose effects the consumer has committed. */
    int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException;

    /** Forgets so many of the oldest notes of the inbox, in a transaction of its own; returns how many there were. */
    int forget(Connection connection, double olderThanSeconds, int most) throws SQLException;

    /** The isolation in which {@link #forget} keeps out of the way of consumers, as Spring numbers it. */
    int isolationOfForgetting();

    /** Whether the connection's user sees a table of this name where the outbox is looked for. */
    boolean has(Connection connection, String table) throws SQLException;

    /** Counts unpublished events up to a number, and reads the age of the one that was written first. */
    Backlog backlog(Connection connection, int most) throws SQLException;

    /**
     * What the inbox knew.
     *
     * @param fresh the ids that were not noted before
     * @param waiting those of the fresh ones whose events have to be stored
     */
    record Noted(Set<UUID> fresh, Set<UUID> waiting) {}

    /**
     * An event to be stored.
     *
     * @param parked whether it is given up, with the reason; otherwise it waits behind one that is
     */
    record Failed(
            ReceivedEvent event,
            String queue,
            int attempts,
            @Nullable Parked parked) {}

    /** Why an event was given up. */
    record Parked(String reason, String detail) {}

    /**
     * The place of a stored event.
     *
     * @param bytes of its payload
     */
    record Place(long id, Aggregate aggregate, String state, int attempts, long bytes) {

        /** Whether it waits for one before it. */
        boolean waits() {
            return state.equals("waiting");
        }

        /** Whether it waits for a person. */
        boolean isParked() {
            return state.equals("parked");
        }
    }

    /** An event as it was stored. */
    record StoredEvent(long id, ReceivedEvent event, int attempts) {}

    /** An event as it is written. */
    record Row(UUID id, OutboxEvent event, String headers) {}

    /** Executes a statement whose row has the number of events and the age of the first one in seconds. */
    static Backlog backlog(Connection connection, String sql, int most) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, most);
            statement.setQueryTimeout(LONGEST_BACKLOG_SECONDS);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return Backlog.of(row.getLong(1), row.getDouble(2));
            }
        }
    }

    /** Executes a statement whose only value is a number. */
    static int count(PreparedStatement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getInt(1);
        }
    }

    /** Counts a consumer's stored events that are in a state; {@link #STORED} with the schema is the statement. */
    static long stored(Connection connection, String sql, String consumer, String state, int most) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, consumer, state, most);
            statement.setQueryTimeout(LONGEST_BACKLOG_SECONDS);
            return count(statement);
        }
    }

    /** Executes a query whose rows are numbers. */
    static List<Long> numbers(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            List<Long> numbers = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    numbers.add(row.getLong(1));
                }
            }
            return numbers;
        }
    }

    /** Executes a query whose rows are texts. */
    static List<String> texts(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            List<String> texts = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    texts.add(row.getString(1));
                }
            }
            return texts;
        }
    }

    /** Reads a row with the columns of a stored event; what has another type on each database was read before. */
    static StoredEvent stored(ResultSet row, UUID eventId, @Nullable Instant occurredAt) throws SQLException {
        ReceivedEvent event = new ReceivedEvent(
                eventId,
                row.getString("event_type"),
                row.getString("aggregate_type"),
                row.getString("aggregate_id"),
                row.getBytes("payload"),
                row.getString("content_type"),
                HeadersJson.read(row.getString("headers")),
                occurredAt,
                true);
        return new StoredEvent(row.getLong("id"), event, row.getInt("attempts"));
    }

    /** Executes a query for places. */
    static List<Place> places(PreparedStatement statement) throws SQLException {
        List<Place> places = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                places.add(new Place(
                        row.getLong("id"),
                        new Aggregate(row.getString("aggregate_type"), row.getString("aggregate_id")),
                        row.getString("state"),
                        row.getInt("attempts"),
                        row.getLong("bytes")));
            }
        }
        return places;
    }

    /** So many question marks. */
    static String marks(int number) {
        return String.join(", ", Collections.nCopies(number, "?"));
    }

    /** Binds all values of a statement. */
    static void bind(PreparedStatement statement, @Nullable Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
    }

    /** Prepares, binds and executes one statement. */
    static int update(Connection connection, String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            return statement.executeUpdate();
        }
    }
}
