package io.outboxrelay.client;

import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.TransactionDefinition;

/** The statements for PostgreSQL. */
record PostgresDatabase(String schema) implements Database {

    /**
     * One statement and one plan whatever the number of events. The positions come from an identity and are drawn in
     * the order of the rows, which is that of the list.
     */
    private static final String ADD = """
            INSERT INTO %s.outbox
                (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            SELECT event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers::jsonb
            FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::text[]) WITH ORDINALITY
                AS event (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, n)
            ORDER BY n""";

    /** Arrays of one cost a third more. */
    private static final String ADD_ONE = """
            INSERT INTO %s.outbox
                (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES (?, ?, ?, ?, ?, ?, ?::jsonb)""";

    private static final String NOTE = """
            INSERT INTO %s.inbox (consumer, event_id) VALUES (?, ?) ON CONFLICT DO NOTHING""";

    /**
     * Sorted, so that two processes with the same events wait for each other instead of closing a circle. A stored
     * event of an aggregate is looked up by a subquery with a limit, which no plan can turn into a read of the whole
     * table.
     *
     * <p>Each array is a subquery, so that the planner does not look into it: otherwise it takes the plan that it has
     * for ten events for worse than a new one for a single event, and plans anew each time, which takes longer than the
     * rest.
     */
    private static final String NOTE_ALL = """
            WITH event AS (
                SELECT * FROM unnest((SELECT ?::uuid[]), (SELECT ?::text[]), (SELECT ?::text[]))
                    AS e (id, aggregate_type, aggregate_id)
            ), noted AS (
                INSERT INTO %1$s.inbox (consumer, event_id) SELECT ?, id FROM event ORDER BY id
                ON CONFLICT DO NOTHING RETURNING event_id
            )
            SELECT event.id, %2$s FROM noted JOIN event ON event.id = noted.event_id""";

    private static final String WAITS = """
            (event.aggregate_type <> '' OR event.aggregate_id <> '') AND (
                SELECT f.id FROM %1$s.inbox_failure f
                WHERE f.consumer = ? AND f.aggregate_type = event.aggregate_type
                    AND f.aggregate_id = event.aggregate_id LIMIT 1) IS NOT NULL""";

    private static final String WAITING = """
            SELECT event.id, %2$s
            FROM unnest(?::uuid[], ?::text[], ?::text[]) AS event (id, aggregate_type, aggregate_id)""";

    private static final String STORE = """
            INSERT INTO %s.inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, queue, state, attempts, first_failed_at, failed_at, reason, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?,
                CASE WHEN ? THEN clock_timestamp() END, CASE WHEN ? THEN clock_timestamp() END, ?, ?)
            ON CONFLICT (consumer, event_id) DO NOTHING""";

    private static final String DUE = """
            SELECT id FROM %s.inbox_failure
            WHERE consumer = ? AND state = 'retrying' AND next_attempt_at <= clock_timestamp()
            ORDER BY next_attempt_at LIMIT ?""";

    private static final String LOCK = """
            SELECT id, aggregate_type, aggregate_id, state, attempts, octet_length(payload) AS bytes
            FROM %s.inbox_failure
            WHERE id = ANY (?) AND (? OR next_attempt_at <= clock_timestamp())
            FOR UPDATE SKIP LOCKED""";

    private static final String FIRST = """
            SELECT f.id, f.aggregate_type, f.aggregate_id, f.state, f.attempts, octet_length(f.payload) AS bytes
            FROM unnest(?::text[], ?::text[]) AS aggregate (type, id) CROSS JOIN LATERAL (
                SELECT * FROM %s.inbox_failure f
                WHERE f.consumer = ? AND f.aggregate_type = aggregate.type AND f.aggregate_id = aggregate.id
                ORDER BY f.id LIMIT ?) AS f
            ORDER BY f.aggregate_type, f.aggregate_id, f.id LIMIT ?""";

    private static final String READ = """
            SELECT id, event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                headers::text AS headers, occurred_at, attempts
            FROM %s.inbox_failure WHERE id = ANY (?)""";

    private static final String COUNT = """
            UPDATE %s.inbox_failure
            SET attempts = attempts + 1,
                next_attempt_at = CASE WHEN state = 'retrying'
                    THEN clock_timestamp() + make_interval(secs => ?::float8) END,
                failed_at = CASE WHEN state = 'retrying' THEN statement_timestamp() ELSE failed_at END,
                first_failed_at = CASE WHEN state = 'retrying'
                    THEN coalesce(first_failed_at, statement_timestamp()) ELSE first_failed_at END,
                reason = CASE WHEN state = 'retrying' THEN ? ELSE reason END,
                detail = CASE WHEN state = 'retrying' THEN ? ELSE detail END
            WHERE id = ANY (?)""";

    private static final String REMOVE = "DELETE FROM %s.inbox_failure WHERE id = ANY (?)";

    private static final String NOTE_AGAIN = """
            INSERT INTO %s.inbox (consumer, event_id) SELECT ?, id FROM unnest(?::uuid[]) AS event (id) ORDER BY id
            ON CONFLICT DO NOTHING""";

    private static final String FAILED_AGAIN = """
            UPDATE %s.inbox_failure
            SET state = ?, attempts = ?, next_attempt_at = clock_timestamp() + make_interval(secs => ?::float8),
                failed_at = clock_timestamp(), first_failed_at = coalesce(first_failed_at, clock_timestamp()),
                reason = ?, detail = ?
            WHERE id = ? AND state <> 'parked'""";

    private static final String EXISTING = "SELECT id FROM %s.inbox_failure WHERE id = ANY (?)";

    /** Both times are the same if the attempt that was counted was the first. */
    private static final String GIVE_BACK = """
            UPDATE %s.inbox_failure
            SET attempts = attempts - 1, next_attempt_at = CASE WHEN state = 'retrying' THEN clock_timestamp() END,
                failed_at = CASE WHEN detail = ? AND failed_at = first_failed_at THEN NULL ELSE failed_at END,
                first_failed_at = CASE WHEN detail = ? AND failed_at = first_failed_at
                    THEN NULL ELSE first_failed_at END,
                reason = CASE WHEN detail = ? THEN NULL ELSE reason END,
                detail = CASE WHEN detail = ? THEN NULL ELSE detail END
            WHERE id = ANY (?) AND attempts > 0 AND state <> 'parked'""";

    /** Jumps from one aggregate to the next: however many events wait in one, they are not read. */
    private static final String WAITING_HEADS = """
            WITH RECURSIVE head AS (
                (SELECT aggregate_type, aggregate_id, id, state FROM %1$s.inbox_failure WHERE consumer = ?
                ORDER BY aggregate_type, aggregate_id, id LIMIT 1)
                UNION ALL
                SELECT next.* FROM head CROSS JOIN LATERAL (
                    SELECT f.aggregate_type, f.aggregate_id, f.id, f.state FROM %1$s.inbox_failure f
                    WHERE f.consumer = ?
                      AND (f.aggregate_type, f.aggregate_id) > (head.aggregate_type, head.aggregate_id)
                    ORDER BY f.aggregate_type, f.aggregate_id, f.id LIMIT 1) AS next
            )
            SELECT id FROM head WHERE state = 'waiting'""";

    private static final String WAITING_HEADS_OF = """
            SELECT head.id FROM unnest(?::text[], ?::text[]) AS aggregate (type, id) CROSS JOIN LATERAL (
                SELECT f.id, f.state FROM %s.inbox_failure f
                WHERE f.consumer = ? AND f.aggregate_type = aggregate.type AND f.aggregate_id = aggregate.id
                ORDER BY f.id LIMIT 1) AS head
            WHERE head.state = 'waiting'""";

    private static final String MAKE_DUE = """
            UPDATE %s.inbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()
            WHERE id = ANY (?) AND state = 'waiting'""";

    private static final String ALIVE = """
            INSERT INTO %s.inbox_instance (consumer, instance, alive_until)
            VALUES (?, ?, clock_timestamp() + make_interval(secs => ?::float8))
            ON CONFLICT (consumer, instance) DO UPDATE SET alive_until = excluded.alive_until""";

    /** Two that come back after a pause are dead for each other, and each has locked its own row. */
    private static final String FORGET_DEAD = """
            DELETE FROM %1$s.inbox_instance WHERE consumer = ? AND instance = ANY (ARRAY(
                SELECT instance FROM %1$s.inbox_instance
                WHERE consumer = ? AND alive_until < clock_timestamp() FOR UPDATE SKIP LOCKED))""";

    private static final String INSTANCES = """
            SELECT instance FROM %s.inbox_instance WHERE consumer = ? AND alive_until >= clock_timestamp()
            ORDER BY started_at, instance""";

    private static final String LEFT = "DELETE FROM %s.inbox_instance WHERE consumer = ? AND instance = ?";

    private static final String HISTORIES = "SELECT queue FROM %s.inbox_history WHERE consumer = ?";

    private static final String HISTORY_ENDED = """
            INSERT INTO %s.inbox_history (consumer, queue, subscription) VALUES (?, ?, ?) ON CONFLICT DO NOTHING""";

    /** What is stored is noted too, and has no effect yet. */
    private static final String PROCESSED = """
            SELECT count(*) FROM %1$s.inbox i WHERE i.consumer = ? AND i.event_id = ANY (?)
            AND NOT EXISTS (
                SELECT FROM %1$s.inbox_failure f WHERE f.consumer = i.consumer AND f.event_id = i.event_id)""";

    /** Rows of the inbox are never updated, so that their place, ctid, names them for the length of a statement. */
    private static final String FORGET = """
            DELETE FROM %1$s.inbox WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM %1$s.inbox i WHERE processed_at < now() - make_interval(secs => ?)
                AND NOT EXISTS (
                    SELECT FROM %1$s.inbox_failure f WHERE f.consumer = i.consumer AND f.event_id = i.event_id)
                ORDER BY processed_at LIMIT ?))""";

    /**
     * The first by position is the oldest, give or take the transactions that are writing now. A service may write any
     * time, and PostgreSQL 14 to 16 cannot subtract an infinite one.
     */
    private static final String BACKLOG = """
            SELECT (SELECT count(*) FROM (SELECT 1 FROM %1$s.outbox LIMIT ?) AS counted),
                (SELECT CASE WHEN isfinite(occurred_at) THEN extract(epoch FROM clock_timestamp() - occurred_at) END
                    FROM %1$s.outbox ORDER BY position LIMIT 1)""";

    @Override
    public void add(Connection connection, List<Row> events) throws SQLException {
        if (events.size() == 1) {
            add(connection, events.get(0));
        } else {
            addAll(connection, events);
        }
    }

    private void add(Connection connection, Row row) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(ADD_ONE.formatted(schema))) {
            OutboxEvent event = row.event();
            statement.setObject(1, row.id());
            statement.setString(2, event.aggregateType());
            statement.setString(3, event.aggregateId());
            statement.setString(4, event.eventType());
            statement.setBytes(5, event.payload());
            statement.setString(6, event.contentType());
            statement.setString(7, row.headers());
            statement.executeUpdate();
        }
    }

    private void addAll(Connection connection, List<Row> events) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(ADD.formatted(schema))) {
            statement.setArray(1, array(connection, "uuid", events, Row::id));
            statement.setArray(
                    2, array(connection, "text", events, row -> row.event().aggregateType()));
            statement.setArray(
                    3, array(connection, "text", events, row -> row.event().aggregateId()));
            statement.setArray(
                    4, array(connection, "text", events, row -> row.event().eventType()));
            statement.setArray(
                    5, array(connection, "bytea", events, row -> row.event().payload()));
            statement.setArray(
                    6, array(connection, "text", events, row -> row.event().contentType()));
            statement.setArray(7, array(connection, "text", events, Row::headers));
            statement.executeUpdate();
        }
    }

    private static Array array(Connection connection, String type, List<Row> events, Function<Row, Object> value)
            throws SQLException {
        // The driver wants bytea in an array of that type.
        Object[] values = type.equals("bytea") ? new byte[events.size()][] : new Object[events.size()];
        Arrays.setAll(values, i -> value.apply(events.get(i)));
        return connection.createArrayOf(type, values);
    }

    @Override
    public boolean note(Connection connection, String consumer, UUID eventId) throws SQLException {
        return Database.update(connection, NOTE.formatted(schema), consumer, eventId) == 1;
    }

    @Override
    public Noted note(Connection connection, String consumer, List<ReceivedEvent> events) throws SQLException {
        Set<UUID> fresh = new HashSet<>();
        Set<UUID> waiting = new HashSet<>();
        try (PreparedStatement statement =
                connection.prepareStatement(NOTE_ALL.formatted(schema, WAITS.formatted(schema)))) {
            setEvents(statement, 1, events);
            statement.setString(4, consumer);
            statement.setString(5, consumer);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    UUID id = row.getObject(1, UUID.class);
                    fresh.add(id);
                    if (row.getBoolean(2)) {
                        waiting.add(id);
                    }
                }
            }
        }
        // What this statement has waited for, it does not see: another process may have stored the earlier event.
        return fresh.isEmpty() || fresh.size() == events.size()
                ? new Noted(fresh, waiting)
                : new Noted(
                        fresh,
                        waiting(
                                connection,
                                consumer,
                                events.stream()
                                        .filter(event -> fresh.contains(event.id()))
                                        .toList()));
    }

    private Set<UUID> waiting(Connection connection, String consumer, List<ReceivedEvent> events) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(WAITING.formatted(schema, WAITS.formatted(schema)))) {
            statement.setString(1, consumer);
            setEvents(statement, 2, events);
            Set<UUID> waiting = new HashSet<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    if (row.getBoolean(2)) {
                        waiting.add(row.getObject(1, UUID.class));
                    }
                }
            }
            return waiting;
        }
    }

    private static void setEvents(PreparedStatement statement, int first, List<ReceivedEvent> events)
            throws SQLException {
        Connection connection = statement.getConnection();
        statement.setArray(first, texts(connection, "uuid", events, ReceivedEvent::id));
        statement.setArray(first + 1, texts(connection, "text", events, ReceivedEvent::aggregateType));
        statement.setArray(first + 2, texts(connection, "text", events, ReceivedEvent::aggregateId));
    }

    private static <T> Array texts(
            Connection connection, String type, Collection<T> all, Function<? super T, Object> value)
            throws SQLException {
        return connection.createArrayOf(type, all.stream().map(value).toArray());
    }

    @Override
    public void store(Connection connection, String consumer, List<Failed> events) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(STORE.formatted(schema))) {
            for (Failed failed : events) {
                ReceivedEvent event = failed.event();
                Parked parked = failed.parked();
                Instant occurredAt = event.occurredAt();
                Database.bind(
                        statement,
                        consumer,
                        event.id(),
                        event.aggregateType(),
                        event.aggregateId(),
                        event.type(),
                        event.payload(),
                        event.contentType(),
                        HeadersJson.write(event.headers()),
                        occurredAt == null ? null : occurredAt.atOffset(ZoneOffset.UTC),
                        failed.queue(),
                        parked == null ? "waiting" : "parked",
                        failed.attempts(),
                        parked != null,
                        parked != null,
                        parked == null ? null : parked.reason(),
                        parked == null ? null : parked.detail());
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    @Override
    public int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(PROCESSED.formatted(schema))) {
            statement.setString(1, consumer);
            statement.setArray(2, connection.createArrayOf("uuid", eventIds.toArray()));
            return Database.count(statement);
        }
    }

    @Override
    public List<Long> due(Connection connection, String consumer, int most) throws SQLException {
        return Database.numbers(connection, DUE.formatted(schema), consumer, most);
    }

    @Override
    public List<Place> lock(Connection connection, List<Long> ids, boolean due) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(LOCK.formatted(schema))) {
            Database.bind(statement, numbers(connection, ids), !due);
            return Database.places(statement);
        }
    }

    @Override
    public List<Place> first(Connection connection, String consumer, Collection<Aggregate> aggregates, int most)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(FIRST.formatted(schema))) {
            Database.bind(
                    statement,
                    texts(connection, "text", aggregates, Aggregate::type),
                    texts(connection, "text", aggregates, Aggregate::id),
                    consumer,
                    most,
                    most);
            return Database.places(statement);
        }
    }

    @Override
    public List<StoredEvent> read(Connection connection, List<Long> ids) throws SQLException {
        List<StoredEvent> events = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(READ.formatted(schema))) {
            statement.setArray(1, numbers(connection, ids));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    OffsetDateTime occurredAt = row.getObject("occurred_at", OffsetDateTime.class);
                    events.add(Database.stored(
                            row,
                            row.getObject("event_id", UUID.class),
                            occurredAt == null ? null : occurredAt.toInstant()));
                }
            }
        }
        return events;
    }

    @Override
    public List<Long> existing(Connection connection, List<Long> ids) throws SQLException {
        return Database.numbers(connection, EXISTING.formatted(schema), numbers(connection, ids));
    }

    @Override
    public void count(Connection connection, List<Long> ids, Duration wait, String reason, String detail)
            throws SQLException {
        Database.update(
                connection,
                COUNT.formatted(schema),
                wait.toMillis() / 1000.0,
                reason,
                detail,
                numbers(connection, ids));
    }

    private static Array numbers(Connection connection, List<Long> ids) throws SQLException {
        return connection.createArrayOf("bigint", ids.toArray());
    }

    @Override
    public void remove(Connection connection, String consumer, List<StoredEvent> events) throws SQLException {
        Database.update(
                connection,
                REMOVE.formatted(schema),
                numbers(connection, events.stream().map(StoredEvent::id).toList()));
        Database.update(
                connection,
                NOTE_AGAIN.formatted(schema),
                consumer,
                texts(connection, "uuid", events, stored -> stored.event().id()));
    }

    @Override
    public boolean failedAgain(
            Connection connection, long id, int attempts, @Nullable Duration wait, String reason, String detail)
            throws SQLException {
        return Database.update(
                        connection,
                        FAILED_AGAIN.formatted(schema),
                        wait == null ? "parked" : "retrying",
                        attempts,
                        wait == null ? null : wait.toMillis() / 1000.0,
                        reason,
                        detail,
                        id)
                == 1;
    }

    @Override
    public void giveBack(Connection connection, List<Long> ids) throws SQLException {
        Database.update(connection, GIVE_BACK.formatted(schema), ENDED, ENDED, ENDED, ENDED, numbers(connection, ids));
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer) throws SQLException {
        return Database.numbers(connection, WAITING_HEADS.formatted(schema), consumer, consumer);
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer, Collection<Aggregate> aggregates)
            throws SQLException {
        return Database.numbers(
                connection,
                WAITING_HEADS_OF.formatted(schema),
                texts(connection, "text", aggregates, Aggregate::type),
                texts(connection, "text", aggregates, Aggregate::id),
                consumer);
    }

    @Override
    public void makeDue(Connection connection, List<Long> ids) throws SQLException {
        Database.update(connection, MAKE_DUE.formatted(schema), numbers(connection, ids));
    }

    @Override
    public StoredCounts stored(Connection connection, String consumer, int most) throws SQLException {
        String sql = STORED.formatted(schema + ".");
        return new StoredCounts(
                Database.stored(connection, sql, consumer, "retrying", most),
                Database.stored(connection, sql, consumer, "parked", most),
                Database.stored(connection, sql, consumer, "waiting", most));
    }

    @Override
    public List<String> alive(Connection connection, String consumer, String instance, Duration lease)
            throws SQLException {
        Database.update(connection, ALIVE.formatted(schema), consumer, instance, lease.toMillis() / 1000.0);
        Database.update(connection, FORGET_DEAD.formatted(schema), consumer, consumer);
        return Database.texts(connection, INSTANCES.formatted(schema), consumer);
    }

    @Override
    public void left(Connection connection, String consumer, String instance) throws SQLException {
        Database.update(connection, LEFT.formatted(schema), consumer, instance);
    }

    @Override
    public List<String> histories(Connection connection, String consumer) throws SQLException {
        return Database.texts(connection, HISTORIES.formatted(schema), consumer);
    }

    @Override
    public boolean historyEnded(Connection connection, String consumer, String queue, UUID subscription)
            throws SQLException {
        return Database.update(connection, HISTORY_ENDED.formatted(schema), consumer, queue, subscription) == 1;
    }

    @Override
    public int forget(Connection connection, double olderThanSeconds, int most) throws SQLException {
        return Database.update(connection, FORGET.formatted(schema), olderThanSeconds, most);
    }

    @Override
    public int isolationOfForgetting() {
        return TransactionDefinition.ISOLATION_DEFAULT;
    }

    @Override
    public boolean has(Connection connection, String table) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        String pattern = schema.replace("_", metadata.getSearchStringEscape() + "_");
        try (ResultSet found = metadata.getTables(null, pattern, table, null)) {
            return found.next();
        }
    }

    @Override
    public Backlog backlog(Connection connection, int most) throws SQLException {
        return Database.backlog(connection, BACKLOG.formatted(schema), most);
    }
}
