package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.testing.FailureRows;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class RepairCommandsTest {

    @Parameter
    DatabaseKind kind;

    private static final String SOME_ID = "123e4567-e89b-12d3-a456-426614174000";

    private static OutboxDatabase database;

    private final FailureRows rows = new FailureRows(database);
    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = OutboxDatabase.withLanes(kind, 1);
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        database.close();
    }

    @BeforeEach
    void empty() {
        database.execute(
                "TRUNCATE outbox, outbox_failure, outbox_published, outbox_pause, outbox_audit RESTART IDENTITY");
        source("ORDERS", database.database().jdbcUrl());
        environment.put("OUTBOX_RELAY_BROKER_URI", "amqp://guest:hunter2@localhost");
    }

    @AfterEach
    void shows_neither_payloads_nor_values_of_headers() {
        assertThat(out.toString() + err).doesNotContain(FailureRows.SECRET, "hunter2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "show", "retry", "discard"})
    void every_command_for_failures_explains_itself(String command) {
        assertThat(execute("failures", command, "--help")).isZero();
        assertThat(out.toString())
                .startsWith("Usage: outbox-relay failures " + command)
                .contains("--source", "--config", "--user");
        assertThat(execute("failures")).isEqualTo(2);
        assertThat(err.toString()).contains("list, show, retry or discard");
    }

    // hazard 28
    @Test
    void parked_events_are_listed_and_those_behind_them_counted() {
        UUID event = rows.age(Duration.ofHours(3)).put("4711", "parked");
        rows.put("4711", "waiting");
        rows.put("4711", "waiting");
        rows.put("4712", "retrying");
        rows.put("4713", "paused");

        assertThat(execute("failures", "list")).isZero();
        assertThat(out.toString())
                .startsWith("source orders\n")
                .containsPattern("parked +3 h +3 +- +2 +" + event + " +OrderPlaced +Order 4711 +unroutable\n")
                .containsPattern("retrying .* 5\\d min ")
                .contains("1 retrying, 1 parked, 1 paused\n", "2 more events are blocked behind these\n")
                .containsPattern("by reason and type:\n +events +reason +type\n +2 +unroutable +Order/OrderPlaced\n"
                        + " +1 +paused +Order/OrderPlaced\n");

        assertThat(execute("failures", "list", "--state", "parked", "--limit", "0"))
                .isZero();
        assertThat(out.toString()).contains("the first 0 of 1: 1 parked\n").doesNotContain(event.toString());
        assertThat(execute("failures", "list", "--state", "waiting")).isZero();
        assertThat(out.toString()).contains("  2 waiting\n").doesNotContain("behind these");
        assertThat(execute("failures", "list", "--aggregate-id", "none")).isZero();
        assertThat(out.toString()).contains("no failures");
    }

    @Test
    void lists_in_json_what_fits_all_filters() throws IOException {
        rows.put("1", "retrying");
        UUID event = rows.reason("too-large")
                .eventType("OrderPaid")
                .age(Duration.ofHours(2))
                .put("2", "parked");

        assertThat(execute(
                        "failures",
                        "list",
                        "--json",
                        "--state",
                        "parked,retrying",
                        "--failure-reason",
                        "too-large",
                        "--event-type",
                        "OrderPaid",
                        "--aggregate-type",
                        "Order",
                        "--aggregate-id",
                        "2",
                        "--older-than",
                        "1h"))
                .isZero();

        JsonNode source = json().at("/sources/0");
        assertThat(source.get("name").asText()).isEqualTo("orders");
        assertThat(source.get("problem").isNull()).isTrue();
        assertThat(source.get("counts")).hasToString("{\"parked\":1}");
        assertThat(source.get("waiting_behind").asInt()).isZero();
        assertThat(source.get("groups"))
                .hasToString("[{\"reason\":\"too-large\",\"aggregate_type\":\"Order\",\"event_type\":\"OrderPaid\","
                        + "\"events\":1}]");
        assertThat(source.at("/failures/0/event_id").asText()).isEqualTo(event.toString());
        assertThat(source.at("/failures/0/header_names")).hasToString("[\"token\"]");
        assertThat(source.at("/failures/0/payload_bytes").asInt()).isEqualTo(FailureRows.SECRET.length());
        assertThat(source.at("/failures/0/next_attempt_at").isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"500ms, 1", "PT9.5S, 1", "2m, 0", "PT1H, 0", "36500d, 0"})
    void an_age_is_written_as_durations_are_in_the_configuration(String age, int older) {
        rows.age(Duration.ofSeconds(10)).put("1", "parked");

        assertThat(execute("failures", "retry", "--older-than", age, "--dry-run"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString())
                .startsWith("source orders: " + (older == 0 ? "no matching event" : "would retry 1 event"));
    }

    @Test
    void shows_one_failure_with_the_size_of_its_payload_and_the_names_of_its_headers() throws IOException {
        UUID event = rows.put("4711", "parked");

        assertThat(execute("failures", "show", event.toString())).isZero();
        assertThat(out.toString())
                .contains("Order 4711", "10 bytes", "token", "parked", "no queue is bound", "4 in a row");
        assertThat(execute("failures", "show", "--json", event.toString())).isZero();
        assertThat(json().at("/sources/0/failure/state").asText()).isEqualTo("parked");
        assertThat(execute("failures", "show", SOME_ID)).isZero();
        assertThat(out.toString()).contains("no failure of this event");
    }

    // hazard 29
    @Test
    void retries_once_and_tells_whoever_comes_second() {
        UUID event = rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("b", "parked");

        assertThat(execute("failures", "retry", event.toString(), "--dry-run")).isZero();
        assertThat(out.toString()).contains("source orders: would retry 1 event");
        assertThat(rows.states("a")).containsExactly("parked/3/4", "waiting/0/0");
        assertThat(database.number("SELECT count(*) FROM outbox_audit")).isZero();

        assertThat(execute("failures", "retry", event.toString(), "--who", "ann", "--reason", "queue is there"))
                .isZero();
        assertThat(out.toString()).isEqualToIgnoringNewLines("source orders: retrying 1 event");
        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "waiting/0/0");

        assertThat(execute("failures", "retry", event.toString())).isZero();
        assertThat(out.toString()).contains("source orders: no matching event", "Nothing to retry for 1 of 1 id.");
        assertThat(execute("failures", "retry", "--all")).isZero();
        assertThat(out.toString()).contains("retrying 1 event");
        assertThat(database.column("SELECT who FROM outbox_audit ORDER BY id"))
                .hasSize(2)
                .first()
                .asString()
                .isEqualTo("ann");
        assertThat(database.value("SELECT who FROM outbox_audit ORDER BY id DESC LIMIT 1"))
                .startsWith(System.getProperty("user.name") + "@");
    }

    @Test
    void brings_the_next_attempt_of_what_is_retrying_forward_only_if_told() {
        rows.put("a", "retrying");
        rows.put("b", "parked");
        rows.put("c", "paused");

        assertThat(execute("failures", "retry", "--all", "--dry-run")).isZero();
        assertThat(out.toString()).contains("would retry 1 event");
        assertThat(execute("failures", "retry", "--now", "--all", "--event-type", "OrderPlaced"))
                .isZero();
        assertThat(out.toString()).contains("source orders: retrying 2 events");
        assertThat(rows.states("a")).as("with its attempts").containsExactly("retrying/3/4*");
        assertThat(rows.states("b")).as("with fresh ones").containsExactly("retrying/0/0*");
        assertThat(rows.states("c")).containsExactly("paused/0/0");
        assertThat(database.column("SELECT concat_ws('|', action, what, events) FROM outbox_audit"))
                .containsExactly("retry now|retrying or parked, type OrderPlaced|2");
    }

    @Test
    void the_audit_is_listed_newest_first() throws IOException {
        UUID event = rows.put("a", "parked");
        execute("failures", "discard", event.toString(), "--reason", "a test order", "--who", "ann");
        execute("pause", "--reason", "stocktaking", "--who", "bob");

        assertThat(execute("audit", "--since", "1h")).isZero();
        assertThat(out.toString())
                .containsPattern("(?s)bob \\(database user .*pause +0 +stocktaking .*ann \\(database user .*discard"
                        + " +1 +a test order +.*"
                        + event);
        assertThat(execute("audit", "--limit", "1", "--json")).isZero();
        assertThat(json().at("/sources/0/audit")).hasSize(1);
        assertThat(json().at("/sources/0/audit/0/action").asText()).isEqualTo("pause");
        assertThat(execute("audit", "--since", "2100-01-01")).isZero();
        assertThat(out.toString()).contains("no entries");
    }

    @Test
    void discards_with_a_reason_and_the_next_one_moves_up() {
        UUID event = rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("b", "retrying");

        assertThat(execute("failures", "discard", "--state", "parked", "--reason", "a test order", "--dry-run"))
                .isZero();
        assertThat(out.toString()).contains("source orders: would discard 1 event");
        assertThat(execute("failures", "discard", "--state", "parked", "--reason", "a test order"))
                .isZero();
        assertThat(out.toString()).contains("source orders: discarded 1 event");
        assertThat(rows.states("a")).containsExactly("retrying/0/0*");
        assertThat(rows.states("b")).hasSize(1);
        assertThat(database.column("SELECT what || ' ' || reason FROM outbox_audit"))
                .containsExactly("parked: " + event + " a test order");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "failures retry | or --all",
                "failures retry --source orders | or --all",
                "failures retry --all " + SOME_ID + " | --all cannot be combined with event ids.",
                "failures retry --type X | Unknown option: '--type'",
                "failures list --reason unroutable | Unknown options: '--reason'",
                "failures retry 4711 | '4711' is not the id of an event",
                "failures retry --all --older-than soon | 'soon' is not a duration such as 500ms, 10s, 2m, 1h, 7d or"
                        + " PT1M30S.",
                "failures retry --older-than PT-1H | 'PT-1H' is not an age: it must be from 0s to 36500d",
                "failures retry --older-than 36501d | '36501d' is not an age",
                "failures retry --all --source stock | There is no source stock. Configured: orders.",
                "failures retry --all --who BLANK | --who must not be empty",
                "failures discard --all | --reason",
                "failures discard --all --reason BLANK | --reason must not be empty",
                "failures discard --reason why | or --all",
                "failures discard --state waiting --reason why | Possible: retrying, parked, paused.",
                "failures list --state lost | 'lost' is not a state of a failure. Possible: retrying, parked, paused,"
                        + " waiting.",
                "failures list --failure-reason unrouted | 'unrouted' is not a reason of a failure. Possible:"
                        + " unroutable, ",
                "failures retry --failure-reason x | 'x' is not a reason of a failure. Possible: unroutable, ",
                "failures list --limit -1 | --limit must not be negative",
                "failures show | EVENT_ID",
                "pause | Say why: --reason TEXT",
                "pause --reason BLANK | --reason must not be empty",
                "pause --list --reason x | --list cannot be combined",
                "pause --source stock --reason x | There is no source stock",
                "resume --source stock | There is no source stock",
                "resume --all --event-type X | --all cannot be combined with --aggregate-type or --event-type",
                "audit --limit -1 | --limit must not be negative",
                "audit --since soon | 'soon' is not a time such as 2026-01-31",
                "status --source stock | There is no source stock. Configured: orders.",
                "status --password-file x | --password-file needs --user",
                "explain 1-1-1-1-1 | is not the id of an event",
                "explain | Say which event, EVENT_ID, or which aggregate, --aggregate-type and --aggregate-id.",
                "explain --aggregate-type Order | Say which event",
                "explain --aggregate-type Order --aggregate-id 1 " + SOME_ID + " | Say which event",
                "failures list --password-file x | --password-file needs --user"
            })
    void wrong_use_is_2_with_a_sentence_and_changes_nothing(String command, String sentence) {
        rows.put("a", "parked");

        assertThat(execute(command.replace("BLANK", "\t").split(" "))).isEqualTo(2);
        assertThat(err.toString())
                .contains(sentence)
                .contains("See: outbox-relay ")
                .hasLineCount(2);
        assertThat(rows.states("a")).containsExactly("parked/3/4");
    }

    @Test
    void pausing_what_is_paused_and_resuming_what_is_not_changes_nothing_and_says_so() {
        assertThat(execute("resume")).isEqualTo(1);
        assertThat(out.toString()).contains("source orders: the whole source was not paused; nothing changed");
        assertThat(err.toString()).contains("Nothing was resumed. To see what is paused, run: pause --list");
        assertThat(execute("resume", "--all")).isEqualTo(1);
        assertThat(out.toString()).contains("source orders: nothing was paused; nothing changed");
        assertThat(execute("pause", "--reason", "stocktaking", "--who", "ann")).isZero();
        assertThat(out.toString()).contains("source orders: the whole source paused");
        assertThat(execute("pause", "--reason", "again")).isZero();
        assertThat(out.toString()).contains("the whole source was already paused; nothing changed");
        assertThat(execute("pause", "--reason", "x", "--aggregate-type", "Order", "--event-type", "OrderPaid"))
                .isZero();
        assertThat(out.toString()).contains("event type OrderPaid of aggregate type Order paused");
        assertThat(database.column("SELECT concat_ws('|', aggregate_type, event_type, paused_by, reason)"
                        + " FROM outbox_pause ORDER BY reason"))
                .first()
                .isEqualTo("*|*|ann|stocktaking");

        assertThat(execute("pause", "--list")).isZero();
        assertThat(out.toString()).contains("the whole source paused since", "by ann: stocktaking");
        assertThat(execute("resume", "--reason", "counted")).isZero();
        assertThat(out.toString())
                .contains("the whole source resumed", "still paused: event type OrderPaid of aggregate type Order");
        assertThat(database.column("SELECT action FROM outbox_audit ORDER BY id"))
                .containsExactly("pause", "pause", "resume");
        execute("pause", "--reason", "again");
        assertThat(execute("resume", "--all")).isZero();
        assertThat(out.toString())
                .contains("the whole source resumed", "event type OrderPaid of aggregate type Order resumed")
                .doesNotContain("still paused");
    }

    @Test
    void lists_pauses_in_json() throws IOException {
        execute("pause", "--event-type", "OrderPaid", "--reason", "stocktaking", "--who", "ann");

        assertThat(execute("pause", "--list", "--json")).isZero();
        assertThat(json().at("/sources/0/pauses/0/aggregate_type").asText()).isEqualTo("*");
        assertThat(json().at("/sources/0/pauses/0/event_type").asText()).isEqualTo("OrderPaid");
        assertThat(json().at("/sources/0/pauses/0/paused_by").asText()).isEqualTo("ann");
    }

    @Test
    void explains_an_event_in_the_outbox_that_a_parked_one_blocks() throws IOException {
        database.write("4711");
        String event = database.value("SELECT event_id FROM outbox");
        UUID first = rows.put("4711", "parked");

        assertThat(execute("explain", event)).isZero();
        assertThat(out.toString())
                .contains("OrderPlaced of Order 4711 is in the outbox, not published yet: lane 0, position 1")
                .contains("No earlier events in its lane.")
                .contains("No relay owns lane 0. Start a relay.")
                .contains("Event " + first
                        + " is parked until somebody retries or discards it. Last failure: unroutable – no"
                        + " queue is bound")
                .contains("failures retry --source orders " + first);
        assertThat(execute("explain", "--json", event)).isZero();
        assertThat(json().at("/sources/0/outbox/position").asLong()).isEqualTo(1);
        assertThat(json().at("/sources/0/first_of_aggregate/event_id").asText()).isEqualTo(first.toString());
        assertThat(json().at("/sources/0/failure").isNull()).isTrue();
        assertThat(json().at("/sources/0/lane/owner").isNull()).isTrue();

        database.write("4712");
        database.write("4711");
        execute("explain", database.value("SELECT event_id FROM outbox ORDER BY position DESC LIMIT 1"));
        assertThat(out.toString()).contains("2 earlier events in its lane, 1 of them of the same aggregate.");
    }

    @Test
    void explains_all_undelivered_events_of_an_aggregate_and_which_one_blocks() throws IOException {
        database.write("4711");
        String last = database.value("SELECT event_id FROM outbox");
        UUID first = rows.put("4711", "retrying");
        UUID second = rows.put("4711", "waiting");
        rows.put("4712", "parked");

        assertThat(execute("explain", "--aggregate-type", "Order", "--aggregate-id", "4711"))
                .isZero();
        assertThat(out.toString())
                .contains("Order 4711 has 3 undelivered events, in this order:")
                .containsPattern("(?s)retrying .*" + first + " +OrderPlaced +unroutable\n.*waiting .*" + second
                        + " +OrderPlaced +-\n.*in the outbox .*" + last + " +OrderPlaced +-\n")
                .contains("The others wait for event " + first + ".")
                .contains(" Last failure: unroutable – no queue is bound (4 failures in a row, 3 attempts spent).")
                .contains("failures retry --now --source orders " + first);
        assertThat(execute("explain", "--json", "--aggregate-type", "Order", "--aggregate-id", "4711"))
                .isZero();
        assertThat(json().at("/sources/0/blocked_by").asText()).isEqualTo(first.toString());
        assertThat(json().at("/sources/0/failures").asLong()).isEqualTo(2);
        assertThat(json().at("/sources/0/outbox").asLong()).isEqualTo(1);
        assertThat(execute("explain", "--aggregate-type", "Order", "--aggregate-id", "none"))
                .isZero();
        assertThat(out.toString()).contains("Order none has no undelivered events here");
    }

    @Test
    void explains_that_a_parked_event_is_still_tried() {
        UUID parked = rows.put("4711", "parked");
        database.execute("UPDATE outbox_failure SET next_attempt_at = clock_timestamp() + interval '3 minutes'");

        assertThat(execute("explain", parked.toString())).isZero();

        assertThat(out.toString())
                .contains("It is parked and still retried slowly: next attempt in ")
                .contains("or to retry it now, run: failures retry --source orders " + parked);
    }

    @Test
    void explains_what_a_failure_waits_for_and_which_command_helps() {
        UUID retrying = rows.put("1", "retrying");
        UUID behind = rows.put("1", "waiting");
        UUID paused = rows.put("2", "paused");
        database.execute("INSERT INTO outbox_pause (aggregate_type, event_type, paused_by, reason)"
                + " VALUES ('Order', '*', 'ann', 'stocktaking')");

        execute("explain", retrying.toString());
        assertThat(out.toString())
                .contains("failed, retrying for ", ". Last failure: unroutable")
                .containsPattern("Next attempt in 5\\d min\\.");
        execute("explain", behind.toString());
        assertThat(out.toString())
                .contains(": waiting for", "1 earlier event of Order 1 is ahead of it")
                .contains("To see all of them, run: explain --source orders --aggregate-type Order --aggregate-id 1\n")
                .containsPattern("Event " + retrying + ": next attempt in 5\\d min\\.");
        execute("explain", paused.toString());
        assertThat(out.toString())
                .contains("It is paused until somebody runs resume.", "by ann (stocktaking)")
                .contains("To resume, run: resume --source orders --aggregate-type Order\n");
        database.execute("DELETE FROM outbox_pause");
        execute("explain", paused.toString());
        assertThat(out.toString()).contains("The pause has ended. The relay that owns the lane will publish it.\n");
    }

    @Test
    void explains_an_event_that_is_nowhere_by_the_audit_or_as_published() {
        UUID event = rows.put("1", "parked");

        execute("explain", SOME_ID);
        assertThat(out.toString()).contains("not in the outbox, not among the failures", "Either it was published");
        execute("failures", "discard", event.toString(), "--reason", "a test order", "--who", "ann");
        execute("explain", event.toString());
        assertThat(out.toString())
                .contains("Audit: discard at ", " by ann (database user ", "): a test order.")
                .doesNotContain("Either it was published");
    }

    @Test
    void text_from_elsewhere_cannot_command_the_terminal() {
        rows.eventType("\u001b[2J").put("1", "parked");

        assertThat(execute("failures", "list")).isZero();
        assertThat(out.toString()).contains("?[2J").doesNotContain("\u001b");
    }

    @Test
    void a_database_that_does_not_answer_is_1_and_the_others_are_served() throws IOException {
        rows.put("1", "parked");
        source("STOCK", kind.scheme() + "//127.0.0.1:1/stock");

        assertThat(execute("failures", "list")).isEqualTo(1);
        assertThat(out.toString()).contains("source stock\n  The database does not answer", "1 parked");
        assertThat(execute("failures", "list", "--json")).isEqualTo(1);
        assertThat(json().findValuesAsText("problem")).anyMatch(problem -> problem.contains("does not answer"));
        assertThat(execute("failures", "retry", "--all")).isEqualTo(1);
        assertThat(err.toString()).contains("outbox-relay: source stock: The database does not answer");
        assertThat(out.toString()).contains("source orders: retrying 1 event");
        assertThat(execute("failures", "retry", "--all", "--source", "orders")).isZero();
    }

    @Test
    void another_user_can_be_given_by_a_file_with_the_password() throws IOException {
        rows.put("1", "parked");
        database.loginWithOnly("outbox_admin");
        try {
            Path password = Files.writeString(folder.resolve("password"), "secret\n");
            String user = "login_" + database.database().name();

            assertThat(execute("failures", "retry", "--all", "--user", user, "--password-file", password.toString()))
                    .as(err.toString())
                    .isZero();
            assertThat(database.value("SELECT db_user FROM outbox_audit")).isEqualTo(user);
        } finally {
            database.dropLogin();
        }
    }

    @Test
    void status_is_asked_of_one_source_and_as_another_user() throws IOException {
        source("STOCK", kind.scheme() + "//127.0.0.1:1/stock");
        assertThat(execute("status")).isEqualTo(1);
        assertThat(out.toString())
                .contains("source orders: nothing undelivered; ", "source stock: The database does not");
        assertThat(execute("status", "--source", "orders")).isZero();
        assertThat(out.toString())
                .startsWith("source orders: nothing undelivered; ")
                .doesNotContain("stock");

        database.loginWithOnly("outbox_relay");
        try {
            String user = "login_" + database.database().name();
            Path password = Files.writeString(folder.resolve("password"), "secret\n");
            Path wrong = Files.writeString(folder.resolve("wrong"), "guess\n");

            // A PostgreSQL may trust every user that it knows.
            String refused = kind.isInnoDb() ? user : "no" + user;

            assertThat(execute("status", "--source", "orders", "--user", user, "--password-file", password.toString()))
                    .as(out.toString())
                    .isZero();
            assertThat(execute(
                            "status",
                            "--json",
                            "--source",
                            "orders",
                            "--user",
                            refused,
                            "--password-file",
                            wrong.toString()))
                    .isEqualTo(1);
            assertThat(json().at("/sources/0/problem").asText())
                    .contains("The database does not answer", refused)
                    .doesNotContain("guess");
        } finally {
            database.dropLogin();
        }
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper().readTree(out.toString());
    }

    private void source(String name, String url) {
        environment.put("OUTBOX_RELAY_SOURCES_" + name + "_URL", url);
        environment.put(
                "OUTBOX_RELAY_SOURCES_" + name + "_USER", database.database().user());
        environment.put(
                "OUTBOX_RELAY_SOURCES_" + name + "_PASSWORD",
                database.database().password());
    }

    private int execute(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine commandLine = Main.commandLine(environment);
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }
}
