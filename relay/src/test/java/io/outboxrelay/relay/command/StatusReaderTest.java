package io.outboxrelay.relay.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.command.StatusCommand.SourceStatus;
import io.outboxrelay.relay.command.StatusCommand.StatusReader;
import io.outboxrelay.relay.command.StatusCommand.StatusReport;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class StatusReaderTest {

    @Parameter
    DatabaseKind kind;

    private OutboxDatabase outbox;
    private TestDatabase database;

    @BeforeEach
    void create() {
        database = kind.newDatabase();
        outbox = OutboxDatabase.in(database);
    }

    @AfterEach
    void drop() {
        outbox.close();
    }

    @Test
    void shows_backlog_lag_lanes_and_live_relays() throws Exception {
        // A schema is a database there.
        String schema = kind.isInnoDb() ? database.name() : "events";
        OutboxSchema.defaults().withSchema(schema).withLanes(2).installOn(database.dataSource());
        outbox.execute("""
                INSERT INTO SCHEMA.outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
                SELECT 'order', n::text, 'placed', '', 'text/plain', clock_timestamp() - interval '1 minute'
                  FROM generate_series(1, 20) AS n
                """.replace("SCHEMA", schema));
        outbox.execute("""
                UPDATE SCHEMA.outbox_lane SET owner = 'relay-1', epoch = 3,
                    lease_until = clock_timestamp() + interval '1 hour'
                 WHERE lane = 1
                """.replace("SCHEMA", schema));
        outbox.execute("""
                INSERT INTO SCHEMA.outbox_instance (instance, alive_until)
                VALUES ('relay-1', clock_timestamp() + interval '1 hour'), ('relay-0',
                    clock_timestamp() - interval '1 hour')
                """.replace("SCHEMA", schema));

        StatusReport report = new StatusReport(List.of(read(schema, database.password())));

        assertThat(report.complete()).isTrue();
        JsonNode source = new ObjectMapper().readTree(report.toJson()).at("/sources/0");
        assertThat(source.get("name").asText()).isEqualTo("orders");
        assertThat(source.get("reachable").asBoolean()).isTrue();
        assertThat(source.get("problem").isNull()).isTrue();
        assertThat(source.get("schema_version").asInt()).isEqualTo(OutboxSchema.VERSION);
        assertThat(source.get("backlog_events").asLong()).isEqualTo(20);
        assertThat(source.get("lag_seconds").asDouble()).isBetween(60.0, 600.0);
        assertThat(source.get("undelivered_events").asLong()).isEqualTo(20);
        assertThat(source.get("undelivered_oldest_seconds").asDouble()).isBetween(60.0, 600.0);
        assertThat(source.get("instances")).hasSize(1).first().hasToString("\"relay-1\"");
        assertThat(source.at("/lanes/0/owner").isNull()).isTrue();
        assertThat(source.at("/lanes/1/owner").asText()).isEqualTo("relay-1");
        assertThat(source.at("/lanes/1/epoch").asLong()).isEqualTo(3);
        assertThat(source.at("/lanes/1/lease_seconds").asDouble()).isBetween(3000.0, 3600.0);
        assertThat(source.at("/lanes/0/backlog_events").asLong()
                        + source.at("/lanes/1/backlog_events").asLong())
                .isEqualTo(20);
        assertThat(report.toText(false))
                .matches("source orders: 20 events undelivered, the oldest for \\d+ (s|min): 20 in the outbox;"
                        + " 1 relay alive, 1 of 2 lanes owned\n");
        assertThat(report.toText(true)).contains("\n  lane  owner ").containsPattern("1 +relay-1 +3 +3\\d{3}\\.\\d s ");
    }

    @Test
    void shows_failures_by_state_and_what_is_paused_and_by_whom() throws Exception {
        OutboxSchema.install(database.dataSource());
        outbox.execute("""
                INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                                            content_type, headers, occurred_at, state, reason)
                SELECT 0, n, gen_random_uuid(), 'Order', '1', 'OrderPlaced', '', '', '{}',
                       clock_timestamp() - interval '3 hours',
                       CASE WHEN n = 1 THEN 'parked' ELSE 'waiting' END, 'returned'
                  FROM generate_series(1, 3) AS n
                """);
        outbox.execute("INSERT INTO outbox_pause (aggregate_type, event_type, paused_by, reason)"
                + " VALUES ('Order', '*', 'ann', 'stocktaking')");

        StatusReport report = new StatusReport(List.of(read("public", database.password())));

        JsonNode source = new ObjectMapper().readTree(report.toJson()).at("/sources/0");
        assertThat(source.get("failures")).hasToString("{\"parked\":1,\"waiting\":2}");
        assertThat(source.at("/pauses/0/aggregate_type").asText()).isEqualTo("Order");
        assertThat(source.at("/pauses/0/event_type").asText()).isEqualTo("*");
        assertThat(source.at("/pauses/0/paused_by").asText()).isEqualTo("ann");
        assertThat(source.at("/pauses/0/paused_seconds").asDouble()).isBetween(0.0, 600.0);
        assertThat(source.at("/pauses/0/reason").asText()).isEqualTo("stocktaking");
        assertThat(source.get("undelivered_events").asLong()).isEqualTo(3);
        assertThat(source.get("undelivered_oldest_seconds").asDouble()).isBetween(10_800.0, 11_400.0);
        assertThat(source.get("lag_seconds").asDouble())
                .as("of the outbox alone")
                .isZero();
        assertThat(report.toText(false))
                .contains("3 events undelivered, the oldest for 3 h: 1 parked, 2 waiting behind failed ones;")
                .contains("no relay is alive, 0 of 8 lanes owned\n", "run: failures list")
                .contains("paused: aggregate type Order, by ann for ", ": stocktaking");
    }

    @Test
    void an_empty_outbox_has_no_lag() {
        OutboxSchema.install(database.dataSource());

        SourceStatus status = read("public", database.password());

        assertThat(status.overview().undeliveredEvents()).isZero();
        assertThat(status.overview().lagSeconds()).isZero();
        assertThat(new StatusReport(List.of(status)).toText(false)).startsWith("source orders: nothing undelivered; ");
        assertThat(status.overview().lanes()).hasSize(OutboxSchema.DEFAULT_LANES);
    }

    @Test
    void a_missing_outbox_is_named_with_the_command_that_mends_it() {
        SourceStatus status = read("public", database.password());

        assertThat(status.reachable()).isTrue();
        assertThat(status.problem()).contains("no outbox in the schema public").contains("migrate");
        assertThat(new StatusReport(List.of(status)).complete()).isFalse();
    }

    @Test
    void a_database_that_does_not_answer_is_an_answer() {
        SourceStatus status = read(new SourceSettings(
                "orders",
                kind.scheme() + "//127.0.0.1:1/none",
                "u",
                "hunter2",
                "public",
                1,
                Duration.ofSeconds(1),
                SourceSettings.Wakeup.NONE,
                null));

        assertThat(status.reachable()).isFalse();
        assertThat(status.problem()).contains("127.0.0.1:1").doesNotContain("hunter2");
    }

    private SourceStatus read(String schema, String password) {
        return read(new SourceSettings(
                "orders",
                database.jdbcUrl(),
                database.user(),
                password,
                schema,
                1,
                Duration.ofSeconds(5),
                SourceSettings.Wakeup.NONE,
                null));
    }

    private static SourceStatus read(SourceSettings source) {
        return new StatusReader(
                        source.login(),
                        Connections.ofCommand(source.url(), source.schema(), source.user(), source.password()))
                .read();
    }
}
