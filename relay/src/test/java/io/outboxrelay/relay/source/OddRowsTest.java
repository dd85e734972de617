package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.Channel;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** Whatever a service can insert that has no right but to write events, in one lane with events as they should be. */
@ParameterizedClass
@MethodSource("databases")
@Tag("server")
class OddRowsTest {

    @Parameter
    Database its;

    private static final Filter EVERYTHING =
            new Filter(List.of(), Set.of(State.values()), null, null, null, null, null);

    private final List<Odd> inserted = new ArrayList<>();
    private OutboxDatabase database;
    private DataSource writer;

    record Database(String name, Supplier<TestDatabase> make) {

        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * PostgreSQL four times: a database without an encoding takes every byte, one in LATIN1 takes few signs, and one in
     * WIN1252 has bytes that are no signs.
     */
    static Stream<Database> databases() {
        List<DatabaseKind> here = DatabaseKind.here();
        Stream<Database> kinds = here.stream().map(kind -> new Database(kind.name(), kind::newDatabase));
        Stream<Database> encodings = Stream.of("SQL_ASCII", "LATIN1", "WIN1252")
                .map(encoding -> new Database(encoding, () -> Servers.postgres().newDatabaseIn(encoding)));
        return here.contains(DatabaseKind.POSTGRESQL) ? Stream.concat(kinds, encodings) : kinds;
    }

    @BeforeEach
    void install() {
        database = OutboxDatabase.installedIn(its.make.get(), 1);
        writer = database.loginWithOnly("outbox_writer");
    }

    @AfterEach
    void drop() {
        database.dropLogin();
        database.close();
    }

    // hazards 69, 84
    @Test
    void whatever_a_writer_can_insert_is_published_or_parked_alone_and_delays_no_other_aggregate() throws Exception {
        // An event that closes its channel makes the broker get others twice, in their order.
        Set<String> healthy = Collections.synchronizedSet(new LinkedHashSet<>());
        Set<String> published = ConcurrentHashMap.newKeySet();
        try (TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                com.rabbitmq.client.Connection consumer =
                        host.connectionFactory().newConnection()) {
            Channel channel = consumer.createChannel();
            channel.exchangeDeclare("events", "topic", true);
            channel.queueDeclare("all", true, false, false, Map.of());
            channel.queueBind("all", "events", "#");
            channel.basicConsume(
                    "all",
                    true,
                    (tag, message) -> {
                        published.add(message.getProperties().getMessageId());
                        if ("Healthy".equals(message.getProperties().getType())) {
                            healthy.add(new String(message.getBody(), StandardCharsets.UTF_8));
                        }
                    },
                    tag -> {});
            List<String> written = insertAmongHealthyOnes();

            try (LogLines told = new LogLines("io.outboxrelay.relay.lane");
                    SourceHarness relay = SourceHarness.start(
                            "orders",
                            database.database().jdbcUrl(),
                            database.database().user(),
                            database.database().password(),
                            host.amqpUri(),
                            Topology.DECLARE)) {
                await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(List.copyOf(healthy)).isEqualTo(written));

                Map<String, String> parked = parked();
                for (Odd odd : inserted) {
                    String reason = parked.getOrDefault(odd.id(), "");
                    assertThat(published.contains(odd.id())).as(odd.name()).isEqualTo(reason.isEmpty());
                    assertThat(reason.equals("unreadable")).as(odd.name()).isEqualTo(odd.unreadable());
                }
                assertThat(told.lines("is parked after 1 attempt"))
                        .isNotEmpty()
                        .allSatisfy(line -> assertThat(line).containsPattern("event [0-9a-f-]{36} .*position \\d+"));
                relay.awaitReady();

                assertThat(database.failures()
                                .failedEvents()
                                .retry(EVERYTHING, new Note("a test", "again"), changed -> {}))
                        .isEqualTo(parked.size());
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(parked()).isEqualTo(parked));
            }
        }
    }

    // hazard 70
    @Test
    void no_odd_row_blinds_status_gauges_or_commands() {
        List<String> written = insertAmongHealthyOnes();
        int all = written.size() + inserted.size();

        assertThat(database.outbox().backlog(Map.of(0, 0L)).events()).isEqualTo(all);
        assertThat(database.outbox().backlog(Map.of(0, 0L)).lagSeconds()).isBetween(0.0, 600.0);
        assertThat(overview().lanes().get(0).backlogEvents()).isEqualTo(all);
        assertThat(overview().lagSeconds()).isGreaterThan(0).isFinite();
        locateAll();

        database.execute((database.isInnoDb() ? "SET sql_mode = '';" : "") + """
            INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, state, reason)
            SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,
                   occurred_at, 'parked', 'unreadable' FROM outbox""");
        database.execute("DELETE FROM outbox");

        assertThat(database.failures().failedEvents().list(EVERYTHING, all).failures())
                .hasSize(all);
        assertThat(database.outbox().stuck(Set.of(0), all)).isNotEmpty();
        assertThat(database.outbox().failures(Set.of(0)).events()).containsEntry("parked", (long) all);
        assertThat(overview().failures()).containsEntry("parked", (long) all);
        locateAll();
        assertThat(database.failures().failedEvents().discard(EVERYTHING, new Note("a test", "away"), changed -> {}))
                .isEqualTo(all);
    }

    // hazards 9, 69
    @Test
    void an_event_that_cannot_be_read_is_parked_before_the_later_ones_of_its_aggregate() throws Exception {
        assumeTrue(its.name.equals("WIN1252"), "needs an aggregate that can be read, of an event that cannot");
        try (TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                com.rabbitmq.client.Connection consumer =
                        host.connectionFactory().newConnection()) {
            Channel channel = consumer.createChannel();
            channel.exchangeDeclare("events", "topic", true);
            channel.queueDeclare("all", true, false, false, Map.of());
            channel.queueBind("all", "events", "#");
            insertOfCafe("1", "'text' || chr(129)");
            insertOfCafe("2", "'text'");
            whileARelayRuns(host, () -> assertThat(states()).containsExactly("parked", "waiting"));

            insertOfCafe("3", "'text'");
            whileARelayRuns(host, () -> assertThat(states()).containsExactly("parked", "waiting", "waiting"));
            assertThat(channel.messageCount("all")).isZero();

            Filter parked = new Filter(List.of(), Set.of(State.PARKED), null, null, null, null, null);
            assertThat(database.failures().failedEvents().discard(parked, new Note("a test", "away"), changed -> {}))
                    .isOne();
            whileARelayRuns(host, () -> assertThat(states()).isEmpty());
            assertThat(channel.messageCount("all")).isEqualTo(2);
        }
    }

    // hazard 69
    @Test
    void an_event_whose_aggregate_cannot_be_read_is_not_left_behind_when_one_before_it_is_discarded() {
        assumeTrue(its.name.equals("SQL_ASCII"), "needs an aggregate that cannot be read");
        for (int n = 1; n <= 2; n++) {
            database.execute("""
                INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                    content_type, headers, occurred_at, state, reason)
                VALUES (0, %1$d, '00000000-0000-0007-0000-00000000000%1$d', 'Odd', E'odd\\377', 'Happened', '',
                    'text', '{}', now(), 'parked', 'unreadable')""".formatted(n));
        }

        assertThat(database.failures().failedEvents().retry(ofEvent(2), new Note("a test", "again"), changed -> {}))
                .isOne();
        assertThat(states()).containsExactly("parked", "waiting");
        assertThat(database.failures().failedEvents().discard(ofEvent(1), new Note("a test", "away"), changed -> {}))
                .isOne();

        assertThat(states()).containsExactly("retrying");
    }

    private static Filter ofEvent(int n) {
        UUID id = UUID.fromString("00000000-0000-0007-0000-00000000000" + n);
        return new Filter(List.of(id), Set.of(State.values()), null, null, null, null, null);
    }

    private void insertOfCafe(String payload, String contentType) {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('Order', 'caf\u00e9', 'Happened', '%s', %s)""".formatted(payload, contentType));
    }

    private List<String> states() {
        return new JdbcTemplate(database.database().sessions())
                .queryForList("SELECT state FROM outbox_failure ORDER BY id", String.class);
    }

    private void whileARelayRuns(TestVirtualHost host, Runnable expectation) {
        try (SourceHarness relay = SourceHarness.start(
                "orders",
                database.database().jdbcUrl(),
                database.database().user(),
                database.database().password(),
                host.amqpUri(),
                Topology.DECLARE)) {
            await().atMost(PATIENCE).untilAsserted(() -> {
                assertThat(database.number("SELECT count(*) FROM outbox")).isZero();
                expectation.run();
            });
            relay.awaitReady();
        }
    }

    private Overview overview() {
        return database.dialect().overview(OutboxSchema.DEFAULT_NAME, database.asTheRelay());
    }

    private void locateAll() {
        for (Odd odd : inserted) {
            assertThat(database.failures().locate(UUID.fromString(odd.id())).lane())
                    .as(odd.name())
                    .isNotNull();
        }
    }

    /** Reasons by event. */
    private Map<String, String> parked() {
        Map<String, String> reasons = new LinkedHashMap<>();
        database.failures().failedEvents().list(EVERYTHING, 1_000).failures().forEach(failure -> {
            assertThat(failure.state())
                    .as(failure.event() + " " + failure.place())
                    .isEqualTo(State.PARKED);
            reasons.put(failure.event().toString(), String.valueOf(failure.reason()));
        });
        return reasons;
    }

    /** Each odd row has a healthy one behind it; returns these. */
    private List<String> insertAmongHealthyOnes() {
        List<Odd> odd = new ArrayList<>(EVERYWHERE);
        switch (database.database().kind()) {
            case POSTGRESQL -> odd.addAll(POSTGRESQL);
            case MARIADB -> {
                odd.addAll(INNODB);
                odd.addAll(MARIADB);
            }
            case MYSQL -> odd.addAll(INNODB);
        }
        if (its.name.equals("SQL_ASCII")) {
            odd.addAll(BYTES);
        }
        if (its.name.equals("WIN1252")) {
            odd.addAll(GAPS);
        }
        for (int n = 0; n < odd.size(); n++) {
            Odd one = odd.get(n).numbered(n);
            boolean done = insert(one);
            assertThat(done || !one.unreadable()).as(one.name()).isTrue();
            if (done) {
                inserted.add(one);
            }
            database.execute("""
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                VALUES ('Order', 'healthy', 'Healthy', '%d', 'text/plain')""".formatted(n));
        }
        return IntStream.range(0, odd.size()).mapToObj(String::valueOf).toList();
    }

    /** Returns whether the database takes it. */
    private boolean insert(Odd odd) {
        boolean innoDb = database.isInnoDb();
        Map<String, String> values = new LinkedHashMap<>(Map.of(
                "event_id", innoDb ? "x'" + odd.id().replace("-", "") + "'" : "'" + odd.id() + "'",
                "aggregate_type", "'Odd'",
                "aggregate_id", "'" + odd.name() + "'",
                "event_type", "'Happened'",
                "payload", "'{}'",
                "content_type", "'application/json'"));
        values.put(odd.column(), odd.value());
        String insert = (innoDb ? "INSERT INTO outbox (%s) SELECT %s" : "INSERT INTO outbox (%s) VALUES (%s)")
                .formatted(String.join(", ", values.keySet()), String.join(", ", values.values()))
                .replace("AS BYTES", innoDb ? "AS binary" : "AS bytea")
                .replace("AS HEADERS", innoDb ? "AS char" : "AS jsonb");
        try (Connection connection = writer.getConnection();
                Statement statement = connection.createStatement()) {
            if (!odd.session().isEmpty()) {
                statement.execute(odd.session());
            }
            return statement.executeUpdate(insert) == 1;
        } catch (SQLException e) {
            return false;
        }
    }

    /**
     * A row that is as it should be but for one column.
     *
     * @param session what makes the database take it
     */
    record Odd(String id, String name, String column, String value, boolean unreadable, String session) {

        Odd(String name, String column, String value) {
            this("", name, column, value, false, "");
        }

        Odd in(String itsSession) {
            return new Odd(id, name, column, value, unreadable, itsSession);
        }

        Odd unreadableRow() {
            return new Odd(id, name, column, value, true, session);
        }

        Odd numbered(int n) {
            return new Odd("00000000-0000-0007-0000-%012d".formatted(n), name, column, value, unreadable, session);
        }
    }

    private static final List<Odd> EVERYWHERE = List.of(
            new Odd("empty id", "aggregate_id", "''"),
            new Odd("long id", "aggregate_id", "repeat('x', 1024)"),
            new Odd("long type", "event_type", "repeat('x', 255)"),
            new Odd("control characters", "event_type", "'a\tb'"),
            new Odd("no content type", "content_type", "''"),
            new Odd("no payload", "payload", "''"),
            new Odd("large payload", "payload", "CAST(repeat('x', 1500000) AS BYTES)"),
            new Odd("null payload", "payload", "NULL"),
            new Odd("array for headers", "headers", "'[1]'"),
            new Odd("null for headers", "headers", "'null'"),
            new Odd("endless number", "headers", "'{\"a\": 1e999}'"),
            new Odd(
                    "deep headers",
                    "headers",
                    "CAST(concat('{\"a\": ', repeat('[', 1500), repeat(']', 1500), '}') AS HEADERS)"),
            new Odd("large headers", "headers", "CAST(concat('{\"a\": \"', repeat('x', 65000), '\"}') AS HEADERS)"),
            new Odd(
                    "long name of a number that is too large",
                    "headers",
                    "CAST(concat('{\"', repeat('x', 100), '\": 1', repeat('0', 30), '}') AS HEADERS)"),
            new Odd("moon", "occurred_at", "'1969-07-20'"),
            new Odd("year one", "occurred_at", "'0001-01-01'"),
            new Odd("last year", "occurred_at", "'9999-12-31 23:59:59.999999'"));

    private static final List<Odd> POSTGRESQL = List.of(
            new Odd("never", "occurred_at", "'infinity'"),
            new Odd("always", "occurred_at", "'-infinity'"),
            new Odd("BC", "occurred_at", "'4713-01-01 BC'"),
            new Odd("late", "occurred_at", "'294276-12-31'"),
            new Odd("many digits", "headers", "'{\"a\": 1e60000}'"));

    private static final List<Odd> BYTES = List.of(
            new Odd("type", "aggregate_type", "E'Odd\\377'").unreadableRow(),
            new Odd("type", "aggregate_type", "E'Odd\\377'").unreadableRow(),
            new Odd("id", "aggregate_id", "E'odd\\377'").unreadableRow(),
            new Odd("id", "aggregate_id", "E'odd\\377'").unreadableRow(),
            new Odd("id of a sign", "aggregate_id", "E'odd\\357\\277\\275'"),
            new Odd("event type", "event_type", "E'Happened\\377'").unreadableRow(),
            new Odd("content type", "content_type", "E'text\\377'").unreadableRow(),
            new Odd("value of a header", "headers", "CAST(E'{\"a\": \"\\377\"}' AS jsonb)").unreadableRow(),
            new Odd("name of a header", "headers", "CAST(E'{\"\\377\": \"a\"}' AS jsonb)").unreadableRow());

    private static final List<Odd> GAPS = List.of(
            new Odd("type", "aggregate_type", "'Odd' || chr(129)").unreadableRow(),
            new Odd("id", "aggregate_id", "'odd' || chr(129)").unreadableRow(),
            new Odd("id", "aggregate_id", "'odd' || chr(129)").unreadableRow(),
            new Odd("event type", "event_type", "'Happened' || chr(129)").unreadableRow(),
            new Odd("content type", "content_type", "'text' || chr(129)").unreadableRow(),
            new Odd("value of a header", "headers", "CAST('{\"a\": \"' || chr(129) || '\"}' AS jsonb)")
                    .unreadableRow());

    private static final String LAX = "SET sql_mode = ''";
    private static final String ALLOWING = "SET sql_mode = 'ALLOW_INVALID_DATES'";

    private static final List<Odd> INNODB = List.of(
            new Odd("zeros", "occurred_at", "'0000-00-00'").in(LAX).unreadableRow(),
            new Odd("nonsense date", "occurred_at", "'nonsense'").in(LAX).unreadableRow(),
            new Odd("no month", "occurred_at", "'2024-00-00'").in(LAX).unreadableRow(),
            new Odd("31 February", "occurred_at", "'2024-02-31'").in(ALLOWING).unreadableRow(),
            new Odd("year zero", "occurred_at", "'0000-01-01'").in(ALLOWING),
            new Odd("NUL", "aggregate_id", "concat('odd', char(0))"),
            new Odd("NUL type", "event_type", "concat('odd', char(0))"));

    /** A session can turn the checks off. */
    private static final String UNCHECKED = LAX + ", check_constraint_checks = 0";

    private static final List<Odd> MARIADB = List.of(
            new Odd("empty type", "aggregate_type", "''").in(UNCHECKED),
            new Odd("empty event type", "event_type", "''").in(UNCHECKED),
            new Odd("wide type", "event_type", "repeat('\u20ac', 300)").in(UNCHECKED),
            new Odd("wide aggregate type", "aggregate_type", "repeat('\u20ac', 300)").in(UNCHECKED),
            new Odd("wide id", "aggregate_id", "repeat('\u20ac', 2000)").in(UNCHECKED),
            new Odd("wide content type", "content_type", "repeat('\u20ac', 300)").in(UNCHECKED),
            new Odd("nonsense", "headers", "'nonsense'").in(UNCHECKED),
            new Odd("no headers", "headers", "''").in(UNCHECKED),
            new Odd("array", "headers", "'[1]'").in(UNCHECKED),
            new Odd("huge headers", "headers", "repeat('x', 10000000)")
                    .in(UNCHECKED)
                    .unreadableRow(),
            new Odd("more huge headers", "headers", "repeat('x', 10000000)")
                    .in(UNCHECKED)
                    .unreadableRow(),
            new Odd("half a sign", "aggregate_id", "_binary x'EDA080'")
                    .in(UNCHECKED)
                    .unreadableRow(),
            new Odd("half a sign again", "aggregate_id", "_binary x'EDA080'")
                    .in(UNCHECKED)
                    .unreadableRow(),
            new Odd("half a sign for a type", "event_type", "_binary x'EDA080'")
                    .in(UNCHECKED)
                    .unreadableRow(),
            new Odd("half a sign in a header", "headers", "'{\"\\\\ud800\": 1}'").in(UNCHECKED),
            new Odd("NUL in a header", "headers", "'{\"\\\\u0000\": \"\\\\u0000\"}'").in(UNCHECKED));
}
