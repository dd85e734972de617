package io.outboxrelay.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.TransactionDefinition;

/**
 * The statements for MariaDB and MySQL, where a schema is a database; {@code public} stands for the one that the
 * connection is in.
 */
record MariaDatabase(String schema) implements Database {

    /**
     * A statement must fit into {@code max_allowed_packet}, 16 MiB by default; escaped, bytes may take twice their
     * room.
     */
    private static final int MOST_BYTES = 4 << 20;

    private static final int MOST_ROWS = 1_000;

    /** Of all errors: the values are there already, under a primary or unique key. */
    private static final int DUPLICATE = 1062;

    private static final int PARAMETERS = 7;

    /**
     * The positions come from a counter and are drawn in the order of the rows, whichever
     * {@code innodb_autoinc_lock_mode} is set: the number of rows is known beforehand.
     */
    private static final String ADD = """
            INSERT INTO %soutbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES\s""";

    private static final String ROW = "(?, ?, ?, ?, ?, ?, ?)";

    /** No IGNORE, which would hide every other error too. An error ends this statement, not its transaction. */
    private static final String NOTE = "INSERT INTO %sinbox (consumer, event_id) VALUES (?, ?)";

    private static final String NOTE_ALL = "INSERT INTO %sinbox (consumer, event_id) VALUES ";

    /** A plain read, so that it waits for nobody; what an insert before it has waited for, it sees. */
    private static final String BLOCKED = """
            SELECT DISTINCT aggregate FROM %sinbox_failure WHERE consumer = ? AND aggregate IN (""";

    private static final String STORE = """
            INSERT INTO %sinbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, queue, state, attempts, first_failed_at, failed_at, reason, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                CASE WHEN ? THEN utc_timestamp(6) END, CASE WHEN ? THEN utc_timestamp(6) END, ?, ?)""";

    private static final String DUE = """
            SELECT id FROM %sinbox_failure
            WHERE consumer = ? AND state = 'retrying' AND next_attempt_at <= utc_timestamp(6)
            ORDER BY next_attempt_at LIMIT ?""";

    /** By the primary key alone, as all statements that lock stored events: otherwise rows of others are locked too. */
    private static final String LOCK = """
            SELECT id, aggregate_type, aggregate_id, state, attempts, octet_length(payload) AS bytes
            FROM %sinbox_failure FORCE INDEX (PRIMARY)
            WHERE id IN (%s) AND (? OR next_attempt_at <= utc_timestamp(6))
            FOR UPDATE SKIP LOCKED""";

    private static final String FIRST = """
            SELECT id, aggregate_type, aggregate_id, state, attempts, octet_length(payload) AS bytes
            FROM %sinbox_failure FORCE INDEX (inbox_failure_aggregate)
            WHERE consumer = ? AND aggregate IN (%s) ORDER BY aggregate, id LIMIT ?""";

    private static final String READ = """
            SELECT id, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at,
                attempts
            FROM %sinbox_failure FORCE INDEX (PRIMARY) WHERE id IN (%s)""";

    private static final String COUNT = """
            UPDATE %sinbox_failure FORCE INDEX (PRIMARY)
            SET attempts = attempts + 1,
                next_attempt_at = CASE WHEN state = 'retrying' THEN utc_timestamp(6) + INTERVAL ? MICROSECOND END,
                failed_at = CASE WHEN state = 'retrying' THEN utc_timestamp(6) ELSE failed_at END,
                first_failed_at = CASE WHEN state = 'retrying'
                    THEN coalesce(first_failed_at, utc_timestamp(6)) ELSE first_failed_at END,
                reason = CASE WHEN state = 'retrying' THEN ? ELSE reason END,
                detail = CASE WHEN state = 'retrying' THEN ? ELSE detail END
            WHERE id IN (%s)""";

    /** Of several at once MySQL 9 would read the whole table, and wait for rows that others have locked. */
    private static final String REMOVE = "DELETE FROM %sinbox_failure WHERE id = ?";

    private static final String NOTED = "SELECT event_id FROM %sinbox WHERE consumer = ? AND event_id IN (%s)";

    private static final String FAILED_AGAIN = """
            UPDATE %sinbox_failure
            SET state = ?, attempts = ?, next_attempt_at = utc_timestamp(6) + INTERVAL ? MICROSECOND,
                failed_at = utc_timestamp(6), first_failed_at = coalesce(first_failed_at, utc_timestamp(6)),
                reason = ?, detail = ?
            WHERE id = ? AND state <> 'parked'""";

    private static final String EXISTING = "SELECT id FROM %sinbox_failure FORCE INDEX (PRIMARY) WHERE id IN (%s)";

    /** Both times are the same if the attempt that was counted was the first. Each column sees those set before it. */
    private static final String GIVE_BACK = """
            UPDATE %sinbox_failure FORCE INDEX (PRIMARY)
            SET attempts = attempts - 1, next_attempt_at = CASE WHEN state = 'retrying' THEN utc_timestamp(6) END,
                failed_at = CASE WHEN detail = ? AND failed_at = first_failed_at THEN NULL ELSE failed_at END,
                first_failed_at = CASE WHEN failed_at IS NULL THEN NULL ELSE first_failed_at END,
                reason = CASE WHEN detail = ? THEN NULL ELSE reason END,
                detail = CASE WHEN detail = ? THEN NULL ELSE detail END
            WHERE id IN (%s) AND attempts > 0 AND state <> 'parked'""";

    private static final String WAITING_HEADS = """
            SELECT f.id FROM (
                SELECT min(id) AS id FROM %1$sinbox_failure WHERE consumer = ? %2$s GROUP BY aggregate) head
            JOIN %1$sinbox_failure f ON f.id = head.id WHERE f.state = 'waiting'""";

    private static final String MAKE_DUE = """
            UPDATE %sinbox_failure SET state = 'retrying', next_attempt_at = utc_timestamp(6)
            WHERE id = ? AND state = 'waiting'""";

    private static final String ALIVE = """
            INSERT INTO %sinbox_instance (consumer, instance, alive_until)
            VALUES (?, ?, utc_timestamp(6) + INTERVAL ? MICROSECOND)
            ON DUPLICATE KEY UPDATE alive_until = VALUES(alive_until)""";

    private static final String DEAD = """
            SELECT instance FROM %sinbox_instance WHERE consumer = ? AND alive_until < utc_timestamp(6)""";

    /**
     * By the primary key: a search would lock the rows of all instances. Two that come back after a pause are dead for
     * each other, and each has locked its own row.
     */
    private static final String LOCK_DEAD = """
            SELECT instance FROM %sinbox_instance FORCE INDEX (PRIMARY)
            WHERE consumer = ? AND instance = ? AND alive_until < utc_timestamp(6) FOR UPDATE SKIP LOCKED""";

    private static final String INSTANCES = """
            SELECT instance FROM %sinbox_instance WHERE consumer = ? AND alive_until >= utc_timestamp(6)
            ORDER BY started_at, instance""";

    private static final String LEFT = "DELETE FROM %sinbox_instance WHERE consumer = ? AND instance = ?";

    private static final String HISTORIES = "SELECT queue FROM %sinbox_history WHERE consumer = ?";

    private static final String HISTORY_ENDED = """
            INSERT INTO %sinbox_history (consumer, queue, subscription) VALUES (?, ?, ?)""";

    /** What is stored is noted too, and has no effect yet. */
    private static final String PROCESSED = """
            SELECT count(*) FROM %1$sinbox i WHERE i.consumer = ? AND i.event_id IN (%2$s)
            AND NOT EXISTS (
                SELECT 1 FROM %1$sinbox_failure f WHERE f.consumer = i.consumer AND f.event_id = i.event_id)""";

    private static final String FORGET = """
            DELETE FROM %1$sinbox WHERE processed_at < utc_timestamp(6) - INTERVAL ? MICROSECOND
            AND NOT EXISTS (
                SELECT 1 FROM %1$sinbox_failure f WHERE f.consumer = inbox.consumer AND f.event_id = inbox.event_id)
            ORDER BY processed_at LIMIT ?""";

    private static final String BACKLOG = """
            SELECT (SELECT count(*) FROM (SELECT 1 FROM %1$soutbox LIMIT ?) AS counted),
                (SELECT timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6)) / 1e6 FROM %1$soutbox
                    ORDER BY position LIMIT 1)""";

    private String prefix() {
        return schema.equals("public") ? "" : schema + ".";
    }

    @Override
    public void add(Connection connection, List<Row> events) throws SQLException {
        List<Row> some = new ArrayList<>();
        long bytes = 0;
        for (Row row : events) {
            int size = row.event().payload().length + row.headers().length();
            if (some.size() == MOST_ROWS || (bytes + size > MOST_BYTES && !some.isEmpty())) {
                insert(connection, some);
                some.clear();
                bytes = 0;
            }
            some.add(row);
            bytes += size;
        }
        insert(connection, some);
    }

    private void insert(Connection connection, List<Row> events) throws SQLException {
        String sql = ADD.formatted(prefix()) + String.join(", ", Collections.nCopies(events.size(), ROW));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < events.size(); i++) {
                bind(statement, i * PARAMETERS, events.get(i));
            }
            statement.executeUpdate();
        }
    }

    private static void bind(PreparedStatement statement, int before, Row row) throws SQLException {
        statement.setBytes(before + 1, bytes(row.id()));
        statement.setString(before + 2, row.event().aggregateType());
        statement.setString(before + 3, row.event().aggregateId());
        statement.setString(before + 4, row.event().eventType());
        statement.setBytes(before + 5, row.event().payload());
        statement.setString(before + 6, row.event().contentType());
        statement.setString(before + 7, row.headers());
    }

    /**
     * If another transaction is noting the same event, this waits for its outcome. When one that others wait for rolls
     * back, InnoDB may end one of those as a deadlock: that is an exception here, and processing it again helps.
     */
    @Override
    public boolean note(Connection connection, String consumer, UUID eventId) throws SQLException {
        try {
            return Database.update(connection, NOTE.formatted(prefix()), consumer, bytes(eventId)) == 1;
        } catch (SQLException e) {
            if (e.getErrorCode() == DUPLICATE) {
                return false;
            }
            throw e;
        }
    }

    /** Duplicates are rare, so all events are first noted in one statement, sorted as on PostgreSQL. */
    @Override
    public Noted note(Connection connection, String consumer, List<ReceivedEvent> events) throws SQLException {
        List<UUID> ids = events.stream().map(ReceivedEvent::id).sorted().toList();
        Set<UUID> fresh = new HashSet<>();
        if (noteAll(connection, consumer, ids)) {
            fresh.addAll(ids);
        } else {
            for (UUID id : ids) {
                if (note(connection, consumer, id)) {
                    fresh.add(id);
                }
            }
        }
        return new Noted(fresh, waiting(connection, consumer, events, fresh));
    }

    private boolean noteAll(Connection connection, String consumer, List<UUID> ids) throws SQLException {
        List<Object> values = new ArrayList<>();
        for (UUID id : ids) {
            values.add(consumer);
            values.add(bytes(id));
        }
        String sql = NOTE_ALL.formatted(prefix()) + String.join(", ", Collections.nCopies(ids.size(), "(?, ?)"));
        try {
            Database.update(connection, sql, values.toArray());
            return true;
        } catch (SQLException e) {
            if (e.getErrorCode() == DUPLICATE) {
                return false;
            }
            throw e;
        }
    }

    private Set<UUID> waiting(Connection connection, String consumer, List<ReceivedEvent> events, Set<UUID> fresh)
            throws SQLException {
        Map<ByteBuffer, List<UUID>> ofAggregate = new HashMap<>();
        for (ReceivedEvent event : events) {
            Aggregate aggregate = Aggregate.of(event);
            if (fresh.contains(event.id()) && !aggregate.isNone()) {
                ofAggregate
                        .computeIfAbsent(ByteBuffer.wrap(hash(aggregate)), key -> new ArrayList<>())
                        .add(event.id());
            }
        }
        Set<UUID> waiting = new HashSet<>();
        if (ofAggregate.isEmpty()) {
            return waiting;
        }
        List<Object> values = new ArrayList<>(List.of(consumer));
        ofAggregate.keySet().forEach(hash -> values.add(hash.array()));
        String sql = BLOCKED.formatted(prefix()) + Database.marks(ofAggregate.size()) + ")";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            Database.bind(statement, values.toArray());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    waiting.addAll(ofAggregate.getOrDefault(ByteBuffer.wrap(row.getBytes(1)), List.of()));
                }
            }
        }
        return waiting;
    }

    /** As the generated column computes it. */
    private static byte[] hash(Aggregate aggregate) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest((aggregate.type() + '\u001f' + aggregate.id()).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    @Override
    public void store(Connection connection, String consumer, List<Failed> events) throws SQLException {
        for (Failed failed : events) {
            ReceivedEvent event = failed.event();
            Parked parked = failed.parked();
            Instant occurredAt = event.occurredAt();
            try {
                Database.update(
                        connection,
                        STORE.formatted(prefix()),
                        consumer,
                        bytes(event.id()),
                        event.aggregateType(),
                        event.aggregateId(),
                        event.type(),
                        event.payload(),
                        event.contentType(),
                        HeadersJson.write(event.headers()),
                        occurredAt == null ? null : LocalDateTime.ofInstant(occurredAt, ZoneOffset.UTC),
                        failed.queue(),
                        parked == null ? "waiting" : "parked",
                        failed.attempts(),
                        parked != null,
                        parked != null,
                        parked == null ? null : parked.reason(),
                        parked == null ? null : parked.detail());
            } catch (SQLException e) {
                if (e.getErrorCode() != DUPLICATE) {
                    throw e;
                }
            }
        }
    }

    @Override
    public List<Long> due(Connection connection, String consumer, int most) throws SQLException {
        return Database.numbers(connection, DUE.formatted(prefix()), consumer, most);
    }

    @Override
    public List<Place> lock(Connection connection, List<Long> ids, boolean due) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(in(LOCK, ids))) {
            List<Object> values = new ArrayList<>(ids);
            values.add(!due);
            Database.bind(statement, values.toArray());
            return Database.places(statement);
        }
    }

    @Override
    public List<Place> first(Connection connection, String consumer, Collection<Aggregate> aggregates, int most)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(in(FIRST, aggregates))) {
            List<Object> values = new ArrayList<>(List.of(consumer));
            aggregates.forEach(aggregate -> values.add(hash(aggregate)));
            values.add(most);
            Database.bind(statement, values.toArray());
            return Database.places(statement);
        }
    }

    @Override
    public List<StoredEvent> read(Connection connection, List<Long> ids) throws SQLException {
        List<StoredEvent> events = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(in(READ, ids))) {
            Database.bind(statement, ids.toArray());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    LocalDateTime occurredAt = row.getObject("occurred_at", LocalDateTime.class);
                    events.add(Database.stored(
                            row,
                            uuid(row.getBytes("event_id")),
                            occurredAt == null ? null : occurredAt.toInstant(ZoneOffset.UTC)));
                }
            }
        }
        return events;
    }

    @Override
    public List<Long> existing(Connection connection, List<Long> ids) throws SQLException {
        return Database.numbers(connection, in(EXISTING, ids), ids.toArray());
    }

    @Override
    public void count(Connection connection, List<Long> ids, Duration wait, String reason, String detail)
            throws SQLException {
        List<Object> values = new ArrayList<>(List.of(micros(wait), reason, detail));
        values.addAll(ids);
        Database.update(connection, in(COUNT, ids), values.toArray());
    }

    @Override
    public void remove(Connection connection, String consumer, List<StoredEvent> events) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(REMOVE.formatted(prefix()))) {
            for (StoredEvent stored : events) {
                statement.setLong(1, stored.id());
                statement.addBatch();
            }
            statement.executeBatch();
        }
        Set<UUID> forgotten =
                events.stream().map(stored -> stored.event().id()).collect(Collectors.toCollection(TreeSet::new));
        forgotten.removeAll(noted(connection, consumer, forgotten));
        for (UUID id : forgotten) {
            note(connection, consumer, id);
        }
    }

    private Set<UUID> noted(Connection connection, String consumer, Set<UUID> ids) throws SQLException {
        List<Object> values = new ArrayList<>(List.of(consumer));
        ids.forEach(id -> values.add(bytes(id)));
        Set<UUID> noted = new HashSet<>();
        try (PreparedStatement statement = connection.prepareStatement(in(NOTED, ids))) {
            Database.bind(statement, values.toArray());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    noted.add(uuid(row.getBytes(1)));
                }
            }
        }
        return noted;
    }

    /** With as many question marks as there are values. */
    private String in(String sql, Collection<?> values) {
        return sql.formatted(prefix(), Database.marks(values.size()));
    }

    @Override
    public boolean failedAgain(
            Connection connection, long id, int attempts, @Nullable Duration wait, String reason, String detail)
            throws SQLException {
        return Database.update(
                        connection,
                        FAILED_AGAIN.formatted(prefix()),
                        wait == null ? "parked" : "retrying",
                        attempts,
                        wait == null ? null : micros(wait),
                        reason,
                        detail,
                        id)
                == 1;
    }

    private static long micros(Duration time) {
        return time.toMillis() * 1_000;
    }

    @Override
    public void giveBack(Connection connection, List<Long> ids) throws SQLException {
        List<Object> values = new ArrayList<>(List.of(ENDED, ENDED, ENDED));
        values.addAll(ids);
        Database.update(connection, in(GIVE_BACK, ids), values.toArray());
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer) throws SQLException {
        return Database.numbers(connection, WAITING_HEADS.formatted(prefix(), ""), consumer);
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer, Collection<Aggregate> aggregates)
            throws SQLException {
        List<Object> values = new ArrayList<>(List.of(consumer));
        aggregates.forEach(aggregate -> values.add(hash(aggregate)));
        String these = "AND aggregate IN (" + Database.marks(aggregates.size()) + ")";
        return Database.numbers(connection, WAITING_HEADS.formatted(prefix(), these), values.toArray());
    }

    @Override
    public void makeDue(Connection connection, List<Long> ids) throws SQLException {
        for (long id : ids) {
            Database.update(connection, MAKE_DUE.formatted(prefix()), id);
        }
    }

    @Override
    public StoredCounts stored(Connection connection, String consumer, int most) throws SQLException {
        String sql = STORED.formatted(prefix());
        return new StoredCounts(
                Database.stored(connection, sql, consumer, "retrying", most),
                Database.stored(connection, sql, consumer, "parked", most),
                Database.stored(connection, sql, consumer, "waiting", most));
    }

    @Override
    public List<String> alive(Connection connection, String consumer, String instance, Duration lease)
            throws SQLException {
        Database.update(connection, ALIVE.formatted(prefix()), consumer, instance, micros(lease));
        for (String dead : Database.texts(connection, DEAD.formatted(prefix()), consumer)) {
            if (!Database.texts(connection, LOCK_DEAD.formatted(prefix()), consumer, dead)
                    .isEmpty()) {
                left(connection, consumer, dead);
            }
        }
        return Database.texts(connection, INSTANCES.formatted(prefix()), consumer);
    }

    @Override
    public void left(Connection connection, String consumer, String instance) throws SQLException {
        Database.update(connection, LEFT.formatted(prefix()), consumer, instance);
    }

    @Override
    public int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException {
        String ids = Database.marks(eventIds.size());
        try (PreparedStatement statement = connection.prepareStatement(PROCESSED.formatted(prefix(), ids))) {
            statement.setString(1, consumer);
            int n = 1;
            for (UUID eventId : eventIds) {
                n++;
                statement.setBytes(n, bytes(eventId));
            }
            return Database.count(statement);
        }
    }

    @Override
    public List<String> histories(Connection connection, String consumer) throws SQLException {
        return Database.texts(connection, HISTORIES.formatted(prefix()), consumer);
    }

    @Override
    public boolean historyEnded(Connection connection, String consumer, String queue, UUID subscription)
            throws SQLException {
        try {
            Database.update(connection, HISTORY_ENDED.formatted(prefix()), consumer, queue, bytes(subscription));
            return true;
        } catch (SQLException e) {
            if (e.getErrorCode() != DUPLICATE) {
                throw e;
            }
            return false;
        }
    }

    @Override
    public int forget(Connection connection, double olderThanSeconds, int most) throws SQLException {
        return Database.update(connection, FORGET.formatted(prefix()), (long) (olderThanSeconds * 1e6), most);
    }

    /** At REPEATABLE READ the gaps between the oldest rows would be locked too, and with the last one all new rows. */
    @Override
    public int isolationOfForgetting() {
        return TransactionDefinition.ISOLATION_READ_COMMITTED;
    }

    @Override
    public boolean has(Connection connection, String table) throws SQLException {
        String database = schema.equals("public") ? connection.getCatalog() : schema;
        try (ResultSet found = connection.getMetaData().getTables(database, null, table, null)) {
            return found.next();
        }
    }

    @Override
    public Backlog backlog(Connection connection, int most) throws SQLException {
        return Database.backlog(connection, BACKLOG.formatted(prefix()), most);
    }

    private static UUID uuid(byte[] bytes) {
        ByteBuffer both = ByteBuffer.wrap(bytes);
        return new UUID(both.getLong(), both.getLong());
    }

    private static byte[] bytes(UUID id) {
        return ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }
}
