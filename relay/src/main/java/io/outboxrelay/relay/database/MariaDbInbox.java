package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.database.Failures.Received;
import io.outboxrelay.relay.database.Failures.Rows;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;

/** What commands ask of an inbox on MariaDB and MySQL. */
final class MariaDbInbox implements InboxActs {

    private static final Rows ROWS = new Rows(MariaDbOutbox.EVENTS);

    private static final String MATCHES = MariaDbCommands.MATCHES + " AND (:consumer IS NULL OR consumer = :consumer)";

    /** An event without an aggregate blocks no other. */
    private static final String BLOCKING = "(aggregate_type <> '' OR aggregate_id <> '')";

    /** Steps from name to name by the index, however many rows a consumer has. */
    private static final String NAMES_IN = """
        WITH RECURSIVE names AS (
            SELECT min(consumer) AS name FROM SCHEMA.TABLE
            UNION ALL
            SELECT (SELECT min(consumer) FROM SCHEMA.TABLE WHERE consumer > names.name) FROM names
            WHERE names.name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL ORDER BY name
        """;

    private final String prefix;
    private final NamedParameterJdbcTemplate database;

    MariaDbInbox(String schema, DataSource connections) {
        this.prefix = MariaDbOutbox.prefix(schema);
        this.database = new NamedParameterJdbcTemplate(connections);
    }

    @Override
    public Map<State, Long> countByState(Filter filter) {
        Map<State, Long> counts = new EnumMap<>(State.class);
        database.query(
                in("SELECT state, count(*) AS events FROM SCHEMA.inbox_failure WHERE MATCHES GROUP BY state"),
                parameters(filter),
                row -> {
                    counts.put(State.of(row.getString("state")), row.getLong("events"));
                });
        return counts;
    }

    /**
     * Counts per aggregate, by its index: one aggregate may have thousands of waiting events that no filter selects.
     */
    @Override
    public long countWaitingBehind(Filter filter) {
        return number("""
                SELECT coalesce(sum((
                    SELECT count(*) FROM SCHEMA.inbox_failure o FORCE INDEX (inbox_failure_aggregate)
                    WHERE o.consumer = f.consumer AND o.aggregate = f.aggregate AND o.state = 'waiting')), 0)
                FROM (SELECT DISTINCT consumer, aggregate FROM SCHEMA.inbox_failure WHERE BLOCKING AND MATCHES) f
                """, parameters(filter));
    }

    @Override
    public List<Group> countByReason(Filter filter) {
        return database.query(
                in("""
                SELECT consumer, coalesce(reason, state) AS why, aggregate_type, event_type, count(*) AS events
                FROM SCHEMA.inbox_failure WHERE MATCHES
                GROUP BY consumer, why, aggregate_type, event_type
                ORDER BY events DESC, consumer, why, aggregate_type, event_type LIMIT :most
                """), parameters(filter).addValue("most", Failures.MOST_GROUPS), Rows::groupOfConsumer);
    }

    @Override
    public List<Failure> list(Filter filter, int limit) {
        return failures(
                "WHERE MATCHES ORDER BY id LIMIT :limit", parameters(filter).addValue("limit", limit));
    }

    @Override
    public List<Failure> find(UUID event) {
        List<String> consumers = consumersIn("inbox_failure");
        return consumers.isEmpty()
                ? List.of()
                : failures(
                        "WHERE consumer IN (:consumers) AND event_id = :event ORDER BY consumer",
                        of(consumers).addValue("event", MariaDbOutbox.bytes(event)));
    }

    @Override
    public Optional<Failure> firstOfAggregate(Received place) {
        return failures(
                        """
                WHERE consumer = :consumer
                  AND aggregate = unhex(sha2(concat(:aggregate_type, char(31 USING utf8mb4), :aggregate_id), 256))
                ORDER BY id LIMIT 1
                """,
                        new MapSqlParameterSource("consumer", place.consumer())
                                .addValue("aggregate_type", place.aggregateType())
                                .addValue("aggregate_id", place.aggregateId()))
                .stream()
                .findFirst();
    }

    private List<Failure> failures(String which, MapSqlParameterSource parameters) {
        return database.query(
                in("""
                SELECT consumer, queue, event_id, aggregate_type, aggregate_id, event_type,
                       octet_length(payload) AS payload_bytes, content_type, json_keys(headers) AS header_names,
                       occurred_at, state, BLOCKING AS blocking, attempts, attempts AS failures, next_attempt_at,
                       first_failed_at, failed_at, reason, detail, utc_timestamp(6) AS read_at,
                       CASE WHEN BLOCKING THEN
                           (SELECT count(*) FROM SCHEMA.inbox_failure o FORCE INDEX (inbox_failure_aggregate)
                            WHERE o.consumer = f.consumer AND o.aggregate = f.aggregate AND o.id < f.id)
                           ELSE 0 END AS before_it,
                       CASE WHEN BLOCKING THEN
                           (SELECT count(*) FROM SCHEMA.inbox_failure o FORCE INDEX (inbox_failure_aggregate)
                            WHERE o.consumer = f.consumer AND o.aggregate = f.aggregate AND o.id > f.id)
                           ELSE 0 END AS behind_it
                FROM SCHEMA.inbox_failure f
                """ + which),
                parameters,
                (row, n) -> ROWS.failure(
                        row, Rows.received(row), MariaDbCommands.headerNames(row.getString("header_names"))));
    }

    @Override
    public long count(Filter filter) {
        return number("SELECT count(*) FROM SCHEMA.inbox_failure WHERE MATCHES", parameters(filter));
    }

    @Override
    public List<Candidate> candidates(Filter filter) {
        return database.query(
                in("SELECT id FROM SCHEMA.inbox_failure WHERE MATCHES ORDER BY id"),
                parameters(filter),
                (row, n) -> new Candidate(row.getLong("id"), 0));
    }

    @Override
    public void lock(List<Candidate> candidates) {
        database.query(
                in("SELECT id FROM SCHEMA.inbox_failure FORCE INDEX (PRIMARY)"
                        + " WHERE id IN (:rows) ORDER BY id FOR UPDATE"),
                new MapSqlParameterSource(
                        "rows", candidates.stream().map(Candidate::id).toList()),
                row -> {});
    }

    @Override
    public List<String> retry(Filter filter, List<Long> rows) {
        return change(filter, rows, """
                UPDATE SCHEMA.inbox_failure
                SET state = 'retrying', attempts = 0, next_attempt_at = utc_timestamp(6)
                WHERE id IN (:rows)
                """);
    }

    @Override
    public List<String> bringForward(Filter filter, List<Long> rows) {
        return change(
                filter, rows, "UPDATE SCHEMA.inbox_failure SET next_attempt_at = utc_timestamp(6) WHERE id IN (:rows)");
    }

    /** No IGNORE, which would hide every other error too. */
    @Override
    public List<String> discard(Filter filter, List<Long> rows) {
        return change(filter, rows, """
                INSERT INTO SCHEMA.inbox (consumer, event_id)
                SELECT f.consumer, f.event_id FROM SCHEMA.inbox_failure f WHERE f.id IN (:rows)
                ON DUPLICATE KEY UPDATE processed_at = processed_at
                """, "DELETE FROM SCHEMA.inbox_failure WHERE id IN (:rows)");
    }

    /** The rows are locked already. */
    private List<String> change(Filter filter, List<Long> rows, String... statements) {
        List<Touched> touched = database.query(
                in("SELECT id, event_id, consumer FROM SCHEMA.inbox_failure WHERE id IN (:rows) AND MATCHES"
                        + " ORDER BY id FOR UPDATE"),
                parameters(filter).addValue("rows", rows),
                (row, n) -> new Touched(
                        row.getLong("id"),
                        MariaDbOutbox.uuid(row.getBytes("event_id")) + " of " + row.getString("consumer")));
        if (!touched.isEmpty()) {
            MapSqlParameterSource ids = new MapSqlParameterSource(
                    "rows", touched.stream().map(Touched::id).toList());
            Stream.of(statements).forEach(statement -> database.update(in(statement), ids));
        }
        return touched.stream().map(Touched::event).toList();
    }

    private record Touched(long id, String event) {}

    @Override
    public List<String> consumers() {
        return consumersIn("inbox", "inbox_failure", "inbox_instance");
    }

    private List<String> consumersIn(String... tables) {
        return Stream.of(tables)
                .flatMap(table ->
                        database
                                .getJdbcTemplate()
                                .queryForList(in(NAMES_IN.replace("TABLE", table)), String.class)
                                .stream())
                .distinct()
                .sorted()
                .toList();
    }

    @Override
    public Map<String, Instant> noted(UUID event, List<String> consumers) {
        Map<String, Instant> noted = new HashMap<>();
        if (!consumers.isEmpty()) {
            database.query(
                    in("SELECT consumer, processed_at FROM SCHEMA.inbox"
                            + " WHERE consumer IN (:consumers) AND event_id = :event"),
                    of(consumers).addValue("event", MariaDbOutbox.bytes(event)),
                    row -> {
                        noted.put(row.getString("consumer"), ROWS.instant(row, "processed_at"));
                    });
        }
        return noted;
    }

    @Override
    public Map<String, Long> notedWithinAnHour(int most) {
        Map<String, Long> noted = new HashMap<>();
        database.query(in("""
                SELECT consumer, count(*) AS events
                FROM (SELECT consumer FROM SCHEMA.inbox WHERE processed_at > utc_timestamp(6) - INTERVAL 1 HOUR
                      ORDER BY processed_at DESC LIMIT :most) AS latest
                GROUP BY consumer
                """), new MapSqlParameterSource("most", most), row -> {
            noted.put(row.getString("consumer"), row.getLong("events"));
        });
        return noted;
    }

    @Override
    public List<ConsumerState> countByConsumer() {
        return database.query(
                in("SELECT consumer, state, count(*) AS events FROM SCHEMA.inbox_failure GROUP BY consumer, state"),
                (row, n) ->
                        new ConsumerState(row.getString("consumer"), row.getString("state"), row.getLong("events")));
    }

    /** By the index, since thousands may wait behind one that failed. */
    @Override
    public Map<String, Double> oldestSeconds(List<String> consumers) {
        Map<String, Double> oldest = new HashMap<>();
        if (!consumers.isEmpty()) {
            database.query(in("""
                    SELECT consumer,
                           timestampdiff(MICROSECOND, min(coalesce(occurred_at, first_failed_at)),
                               utc_timestamp(6)) / 1e6
                               AS seconds
                    FROM SCHEMA.inbox_failure
                    WHERE consumer IN (:consumers) AND state IN ('retrying', 'parked')
                      AND coalesce(occurred_at, first_failed_at) IS NOT NULL
                    GROUP BY consumer
                    """), of(consumers), row -> {
                oldest.put(row.getString("consumer"), Math.max(0, row.getDouble("seconds")));
            });
        }
        return oldest;
    }

    @Override
    public List<Instance> liveInstances() {
        return database.query(in("""
                SELECT consumer, instance FROM SCHEMA.inbox_instance WHERE alive_until > utc_timestamp(6)
                ORDER BY consumer, instance
                """), (row, n) -> new Instance(row.getString("consumer"), row.getString("instance")));
    }

    private long number(String statement, MapSqlParameterSource parameters) {
        return Objects.requireNonNull(database.queryForObject(in(statement), parameters, Long.class));
    }

    private static MapSqlParameterSource parameters(Filter filter) {
        return MariaDbCommands.parameters(filter).addValue("consumer", filter.consumer());
    }

    private static MapSqlParameterSource of(List<String> consumers) {
        return new MapSqlParameterSource("consumers", consumers);
    }

    /** Puts in the database, which is the only thing that cannot be bound, and what several statements share. */
    private String in(String statement) {
        return statement
                .replace("MATCHES", MATCHES)
                .replace("BLOCKING", BLOCKING)
                .replace("SCHEMA.", prefix);
    }
}
