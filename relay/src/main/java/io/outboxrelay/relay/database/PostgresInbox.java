package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.database.Failures.Received;
import io.outboxrelay.relay.database.Failures.Rows;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.sql.ResultSet;
import java.sql.SQLException;
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

/** What commands ask of an inbox on PostgreSQL. */
final class PostgresInbox implements InboxActs {

    private static final Rows ROWS = new Rows(PostgresOutbox.EVENTS);

    private static final String MATCHES =
            PostgresCommands.MATCHES + " AND (CAST(:consumer AS text) IS NULL OR consumer = CAST(:consumer AS text))";

    /** An event without an aggregate blocks no other. */
    private static final String BLOCKING = "(aggregate_type <> '' OR aggregate_id <> '')";

    private static final String SAME_AGGREGATE =
            "o.consumer = f.consumer AND o.aggregate_type = f.aggregate_type AND o.aggregate_id = f.aggregate_id";

    /** Steps from name to name by the index, however many rows a consumer has. */
    private static final String NAMES_IN = """
        (WITH RECURSIVE names AS (
            SELECT min(consumer) AS name FROM SCHEMA.TABLE
            UNION ALL
            SELECT (SELECT min(consumer) FROM SCHEMA.TABLE WHERE consumer > names.name) FROM names
            WHERE names.name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL)\
        """;

    private final String schema;
    private final NamedParameterJdbcTemplate database;

    PostgresInbox(String schema, DataSource connections) {
        this.schema = Dialect.plainName(schema);
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
                SELECT coalesce(sum(behind.events), 0)
                FROM (SELECT DISTINCT consumer, aggregate_type, aggregate_id
                      FROM SCHEMA.inbox_failure WHERE BLOCKING AND MATCHES) AS f,
                     LATERAL (
                         SELECT count(*) AS events FROM SCHEMA.inbox_failure o
                         WHERE SAME_AGGREGATE AND o.state = 'waiting') AS behind
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
        return failures(
                "WHERE consumer = ANY (:consumers) AND event_id = :event ORDER BY consumer",
                of(consumersIn("inbox_failure")).addValue("event", event));
    }

    @Override
    public Optional<Failure> firstOfAggregate(Received place) {
        return failures(
                        """
                WHERE consumer = :consumer AND aggregate_type = :aggregate_type AND aggregate_id = :aggregate_id
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
                       octet_length(payload) AS payload_bytes, content_type,
                       ARRAY (SELECT jsonb_object_keys(headers) WHERE jsonb_typeof(headers) = 'object') AS header_names,
                       occurred_at, state, BLOCKING AS blocking, attempts, attempts AS failures, next_attempt_at,
                       first_failed_at, failed_at, reason, detail, clock_timestamp() AS read_at,
                       CASE WHEN BLOCKING THEN (SELECT count(*) FROM SCHEMA.inbox_failure o
                            WHERE SAME_AGGREGATE AND o.id < f.id) ELSE 0 END AS before_it,
                       CASE WHEN BLOCKING THEN (SELECT count(*) FROM SCHEMA.inbox_failure o
                            WHERE SAME_AGGREGATE AND o.id > f.id) ELSE 0 END AS behind_it
                FROM SCHEMA.inbox_failure f
                """ + which), parameters, (row, n) -> ROWS.failure(row, Rows.received(row), headerNames(row)));
    }

    private static List<String> headerNames(ResultSet row) throws SQLException {
        return Stream.of((String[]) row.getArray("header_names").getArray()).toList();
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
                in("SELECT id FROM SCHEMA.inbox_failure WHERE id = ANY (:rows) ORDER BY id FOR UPDATE"),
                rows(candidates.stream().map(Candidate::id).toList()),
                row -> {});
    }

    @Override
    public List<String> retry(Filter filter, List<Long> rows) {
        return change("""
                UPDATE SCHEMA.inbox_failure
                SET state = 'retrying', attempts = 0, next_attempt_at = clock_timestamp()
                WHERE id = ANY (:rows) AND MATCHES
                RETURNING event_id, consumer
                """, filter, rows);
    }

    @Override
    public List<String> bringForward(Filter filter, List<Long> rows) {
        return change("""
                UPDATE SCHEMA.inbox_failure SET next_attempt_at = clock_timestamp()
                WHERE id = ANY (:rows) AND MATCHES
                RETURNING event_id, consumer
                """, filter, rows);
    }

    @Override
    public List<String> discard(Filter filter, List<Long> rows) {
        return change("""
                WITH discarded AS (
                    DELETE FROM SCHEMA.inbox_failure WHERE id = ANY (:rows) AND MATCHES
                    RETURNING event_id, consumer),
                noted AS (
                    INSERT INTO SCHEMA.inbox (consumer, event_id) SELECT consumer, event_id FROM discarded
                    ON CONFLICT DO NOTHING)
                SELECT event_id, consumer FROM discarded
                """, filter, rows);
    }

    private List<String> change(String statement, Filter filter, List<Long> rows) {
        return database.query(
                in(statement),
                parameters(filter).addValues(rows(rows).getValues()),
                (row, n) -> "%s of %s".formatted(row.getObject("event_id", UUID.class), row.getString("consumer")));
    }

    @Override
    public List<String> consumers() {
        return consumersIn("inbox", "inbox_failure", "inbox_instance");
    }

    private List<String> consumersIn(String... tables) {
        String names = String.join(
                " UNION ",
                Stream.of(tables).map(table -> NAMES_IN.replace("TABLE", table)).toList());
        return database.getJdbcTemplate().queryForList(in(names + " ORDER BY name"), String.class);
    }

    @Override
    public Map<String, Instant> noted(UUID event, List<String> consumers) {
        Map<String, Instant> noted = new HashMap<>();
        database.query(
                in("SELECT consumer, processed_at FROM SCHEMA.inbox"
                        + " WHERE consumer = ANY (:consumers) AND event_id = :event"),
                of(consumers).addValue("event", event),
                row -> {
                    noted.put(row.getString("consumer"), ROWS.instant(row, "processed_at"));
                });
        return noted;
    }

    /** The time of the statement, not of the clock, since only that is compared by the index. */
    @Override
    public Map<String, Long> notedWithinAnHour(int most) {
        Map<String, Long> noted = new HashMap<>();
        database.query(in("""
                SELECT consumer, count(*) AS events
                FROM (SELECT consumer FROM SCHEMA.inbox
                      WHERE processed_at > statement_timestamp() - interval '1 hour'
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
        database.query(in("""
                SELECT consumer,
                       extract(epoch FROM clock_timestamp() - min(coalesce(occurred_at, first_failed_at))) AS seconds
                FROM SCHEMA.inbox_failure
                WHERE consumer = ANY (:consumers) AND state IN ('retrying', 'parked')
                  AND isfinite(coalesce(occurred_at, first_failed_at))
                GROUP BY consumer
                """), of(consumers), row -> {
            oldest.put(row.getString("consumer"), Math.max(0, row.getDouble("seconds")));
        });
        return oldest;
    }

    @Override
    public List<Instance> liveInstances() {
        return database.query(in("""
                SELECT consumer, instance FROM SCHEMA.inbox_instance WHERE alive_until > clock_timestamp()
                ORDER BY consumer, instance
                """), (row, n) -> new Instance(row.getString("consumer"), row.getString("instance")));
    }

    private long number(String statement, MapSqlParameterSource parameters) {
        return Objects.requireNonNull(database.queryForObject(in(statement), parameters, Long.class));
    }

    private static MapSqlParameterSource parameters(Filter filter) {
        return PostgresCommands.parameters(filter).addValue("consumer", filter.consumer());
    }

    private static MapSqlParameterSource of(List<String> consumers) {
        return new MapSqlParameterSource("consumers", consumers.toArray(String[]::new));
    }

    private static MapSqlParameterSource rows(List<Long> rows) {
        return new MapSqlParameterSource("rows", rows.toArray(Long[]::new));
    }

    /** Puts in the schema, which is the only thing that cannot be bound, and what several statements share. */
    private String in(String statement) {
        return statement
                .replace("MATCHES", MATCHES)
                .replace("BLOCKING", BLOCKING)
                .replace("SAME_AGGREGATE", SAME_AGGREGATE)
                .replace("SCHEMA", schema);
    }
}
