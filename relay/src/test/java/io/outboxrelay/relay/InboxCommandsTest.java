package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.testing.FailureRows;
import io.outboxrelay.relay.testing.InboxRows;
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

/** The commands about consumers, as people type them: the inbox of a source, and one that is no source. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class InboxCommandsTest {

    @Parameter
    DatabaseKind kind;

    private static final String SOME_ID = "123e4567-e89b-12d3-a456-426614174000";

    private static OutboxDatabase orders;
    private static OutboxDatabase billing;

    private final InboxRows ofOrders = new InboxRows(orders).consumer("view");
    private final InboxRows rows = new InboxRows(billing);
    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        orders = OutboxDatabase.withLanes(kind, 1);
        billing = OutboxDatabase.withLanes(kind, 1);
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        orders.close();
        billing.close();
    }

    @BeforeEach
    void empty() {
        for (OutboxDatabase database : new OutboxDatabase[] {orders, billing}) {
            database.execute("TRUNCATE outbox, outbox_failure, outbox_audit, inbox, inbox_failure, inbox_instance"
                    + " RESTART IDENTITY");
        }
        configure("SOURCES_ORDERS", orders, orders.database().jdbcUrl());
        configure("INBOXES_BILLING", billing, billing.database().jdbcUrl());
    }

    @AfterEach
    void shows_neither_payloads_nor_values_of_headers() {
        assertThat(out.toString() + err).doesNotContain(FailureRows.SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"failures list", "failures show", "failures retry", "failures discard", "status", "redrive"})
    void every_command_explains_itself(String command) {
        assertThat(execute(("inbox " + command + " --help").split(" "))).isZero();
        assertThat(out.toString())
                .startsWith("Usage: outbox-relay inbox " + command)
                .contains("--source", "--config", "--user");
        assertThat(execute("inbox")).isEqualTo(2);
        assertThat(err.toString()).contains("Say what to do: status, failures or redrive.");
        assertThat(execute("inbox", "failures")).isEqualTo(2);
        assertThat(err.toString())
                .contains("list, show, retry or discard", "Usage: outbox-relay inbox failures", "consumers gave up");
    }

    @Test
    void help_names_the_filter_and_what_a_discard_does_to_the_inbox() {
        execute("inbox", "failures", "discard", "--help");
        assertThat(out.toString()).contains("--consumer=NAME").containsPattern("(?s)inbox\\s+notes\\s+them\\s+as");
        execute("failures", "discard", "--help");
        assertThat(out.toString()).doesNotContain("--consumer", "redelivery");
    }

    @Test
    void failures_of_all_inboxes_are_listed_with_their_consumers() throws IOException {
        UUID event = rows.age(Duration.ofHours(3)).put("4711", "parked");
        rows.put("4711", "waiting");
        ofOrders.put("1", "retrying");

        assertThat(execute("inbox", "failures", "list")).as(err.toString()).isZero();
        assertThat(out.toString())
                .startsWith("inbox orders\n  consumer  state ")
                .containsPattern("view +retrying ")
                .containsPattern("(?s)inbox billing\n.* billing +parked +3 h +3 +- +1 +" + event
                        + " +OrderPlaced +Order 4711 +failed\n")
                .contains("1 parked\n", "1 more event is blocked behind these\n")
                .containsPattern("by consumer, reason and type:\n +consumer +events +reason +type\n"
                        + " +billing +1 +failed +Order/OrderPlaced\n");

        assertThat(execute("inbox", "failures", "list", "--json", "--source", "billing", "--state", "parked"))
                .isZero();
        JsonNode inbox = json().at("/inboxes/0");
        assertThat(inbox.get("name").asText()).isEqualTo("billing");
        assertThat(inbox.get("groups"))
                .hasToString("[{\"consumer\":\"billing\",\"reason\":\"failed\",\"aggregate_type\":\"Order\","
                        + "\"event_type\":\"OrderPlaced\",\"events\":1}]");
        JsonNode failure = inbox.at("/failures/0");
        assertThat(failure.get("consumer").asText()).isEqualTo("billing");
        assertThat(failure.get("queue").asText()).isEqualTo("billing.orders");
        assertThat(failure.has("lane")).isFalse();
        assertThat(execute("inbox", "failures", "list", "--consumer", "crm")).isZero();
        assertThat(out.toString()).isEqualTo("inbox orders\n  no failures\ninbox billing\n  no failures\n");
    }

    @Test
    void shows_an_event_that_two_consumers_gave_up() throws IOException {
        UUID event = rows.put("4711", "parked");
        new InboxRows(billing).consumer("crm").put(event, "4711", "retrying");

        assertThat(execute("inbox", "failures", "show", "--source", "billing", event.toString()))
                .isZero();
        assertThat(out.toString())
                .contains("consumer      billing", "consumer      crm", "queue         billing.orders")
                .contains("Order 4711", "10 bytes", "token", "parked", "no such customer")
                .doesNotContain("lane", "in a row");
        assertThat(execute("inbox", "failures", "show", "--json", event.toString()))
                .isZero();
        assertThat(json().at("/inboxes/0/failures")).isEmpty();
        assertThat(json().at("/inboxes/1/failures")).hasSize(2);
    }

    @Test
    void retries_once_and_tells_whoever_comes_second() {
        UUID event = rows.put("a", "parked");
        UUID second = rows.put("a", "waiting");
        new InboxRows(billing).consumer("crm").put("a", "parked");

        assertThat(execute("inbox", "failures", "retry", "--consumer", "billing", "--dry-run"))
                .isZero();
        assertThat(out.toString()).contains("inbox orders: no matching event", "inbox billing: would retry 1 event");
        assertThat(rows.states("a")).containsExactly("parked/3", "waiting/0");

        assertThat(execute("inbox", "failures", "retry", event.toString(), "--who", "ann"))
                .isZero();
        assertThat(out.toString()).contains("inbox billing: retrying 1 event\n").doesNotContain("Nothing");
        assertThat(rows.states("a")).containsExactly("retrying/0*", "waiting/0");

        assertThat(execute("inbox", "failures", "retry", event.toString(), second.toString()))
                .isZero();
        assertThat(out.toString())
                .contains("Nothing to retry for 2 of 2 ids. One waits behind an earlier event of its aggregate and has"
                        + " not failed. To see where an event is, run: explain EVENT_ID");
        assertThat(billing.column("SELECT concat_ws('|', who, action, what, events) FROM outbox_audit"))
                .containsExactly("ann|inbox retry|parked, event " + event + "|1");
    }

    @Test
    void discards_with_a_reason_and_the_audit_and_explain_know_it() throws IOException {
        UUID event = rows.put("a", "parked");

        assertThat(execute("inbox", "failures", "discard", "--all", "--reason", "a test order", "--who", "ann"))
                .isZero();
        assertThat(out.toString()).contains("inbox billing: discarded 1 event");
        assertThat(execute("explain", event.toString())).isZero();
        assertThat(out.toString())
                .contains(
                        "source orders\n", "inbox billing\n  Consumer billing: discarded.\n  Audit: inbox discard at ")
                .contains(" by ann (database user ", "): a test order.");
        assertThat(execute("explain", "--json", event.toString())).isZero();
        assertThat(json().at("/inboxes/0/consumers/0/state").asText()).isEqualTo("discarded");
    }

    @Test
    void status_shows_each_consumer() throws IOException {
        rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.processed(UUID.randomUUID());
        billing.execute("INSERT INTO inbox_instance (consumer, instance, alive_until)"
                + " VALUES ('crm', 'crm-1', clock_timestamp() + interval '1 hour')");

        assertThat(execute("inbox", "status")).isZero();
        assertThat(out.toString())
                .startsWith("inbox orders\n  no consumer has used this inbox\ninbox billing\n")
                .containsPattern("billing +1 +1 +0 +1 +24 h +-\n +crm +0 +0 +0 +0 +- +1: crm-1\n")
                .contains("To see which events failed and why, run: inbox failures list\n");
        assertThat(execute("inbox", "status", "--json")).isZero();
        JsonNode consumer = json().at("/inboxes/1/consumers/0");
        assertThat(consumer.get("consumer").asText()).isEqualTo("billing");
        assertThat(consumer.get("noted_last_hour").asLong()).isEqualTo(1);
        assertThat(consumer.get("noted_is_minimum").asBoolean()).isFalse();
        assertThat(consumer.get("failures")).hasToString("{\"parked\":1,\"waiting\":1}");
        assertThat(consumer.get("oldest_seconds").asDouble()).isBetween(86_400.0, 90_000.0);
        assertThat(json().at("/inboxes/1/consumers/1/instances")).hasToString("[\"crm-1\"]");
    }

    @Test
    void explain_follows_an_event_from_the_outbox_to_every_consumer() throws IOException {
        orders.write("4711");
        UUID event = UUID.fromString(orders.value("SELECT event_id FROM outbox"));
        ofOrders.processed(event);
        UUID head = rows.put("4711", "parked");
        rows.put(event, "4711", "waiting");
        new InboxRows(billing).consumer("crm").processed(UUID.randomUUID());

        assertThat(execute("explain", event.toString())).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains("is in the outbox, not published yet")
                .containsPattern("Consumer view has processed it: noted at .* \\(\\d s ago\\)\\.\n")
                .contains("Consumer billing: OrderPlaced of Order 4711: waiting for ")
                .contains("1 earlier event of Order 4711 is ahead of it.")
                .contains("Event " + head + " is parked until somebody retries or discards it. Last failure:"
                        + " failed – no such customer (3 attempts spent).")
                .contains("run: inbox failures retry --source billing --consumer billing " + head)
                .contains("run: inbox failures discard --source billing --consumer billing " + head + " --reason TEXT")
                .contains("Consumer crm knows nothing of it");
        assertThat(execute("explain", "--json", event.toString())).isZero();
        assertThat(json().at("/sources/0/outbox/event_id").asText()).isEqualTo(event.toString());
        assertThat(json().at("/sources/0/consumers/0/state").asText()).isEqualTo("processed");
        assertThat(json().at("/inboxes/0/consumers/0/state").asText()).isEqualTo("waiting");
        assertThat(json().at("/inboxes/0/consumers/0/first_of_aggregate/event_id")
                        .asText())
                .isEqualTo(head.toString());
        assertThat(json().at("/inboxes/0/consumers/1/state").asText()).isEqualTo("unknown");
    }

    @Test
    void explain_says_what_blocks_an_aggregate_at_its_consumers() {
        UUID head = rows.put("4711", "retrying");
        rows.put("4711", "waiting");

        assertThat(execute("explain", "--aggregate-type", "Order", "--aggregate-id", "4711"))
                .isZero();
        assertThat(out.toString())
                .contains("Order 4711 has no undelivered events here")
                .contains("Consumers have 2 unprocessed events of Order 4711, each in this order:\n")
                .containsPattern("Event " + head + ": next attempt in 5\\d min\\.")
                .contains("run: inbox failures retry --now --source billing --consumer billing " + head);
    }

    @Test
    void the_relays_user_may_not_read_an_inbox_and_explain_shows_the_rest() throws IOException {
        UUID event = ofOrders.put("a", "parked");
        orders.loginWithOnly("outbox_relay");
        try {
            environment.put("OUTBOX_RELAY_SOURCES_ORDERS_USER", orders.login());
            environment.put("OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", "secret");
            assertThat(execute("inbox", "failures", "list", "--source", "orders"))
                    .isEqualTo(1);
            assertThat(out.toString()).contains("The database user may not do this", "outbox_admin: --user and");
            assertThat(execute("explain", "--source", "orders", event.toString()))
                    .isZero();
            assertThat(out.toString())
                    .contains("Audit log not shown", "Its consumers are not shown: The database user may not do this");

            Path password = Files.writeString(
                    folder.resolve("password"), orders.database().password());
            assertThat(execute(
                            "inbox",
                            "failures",
                            "retry",
                            "--source",
                            "orders",
                            "--all",
                            "--user",
                            orders.database().user(),
                            "--password-file",
                            password.toString()))
                    .as(err.toString())
                    .isZero();
        } finally {
            orders.dropLogin();
        }
    }

    @Test
    void a_database_that_does_not_answer_is_1_and_the_others_are_served() throws IOException {
        rows.put("a", "parked");
        configure("INBOXES_STOCK", billing, kind.scheme() + "//127.0.0.1:1/stock");

        assertThat(execute("inbox", "failures", "list")).isEqualTo(1);
        assertThat(out.toString()).contains("inbox stock\n  The database does not answer", "1 parked");
        assertThat(execute("inbox", "status", "--json")).isEqualTo(1);
        assertThat(json().findValuesAsText("problem")).anyMatch(problem -> problem.contains("does not answer"));
        assertThat(execute("inbox", "failures", "retry", "--all")).isEqualTo(1);
        assertThat(err.toString()).contains("outbox-relay: inbox stock: The database does not answer");
        assertThat(out.toString()).contains("inbox billing: retrying 1 event");
    }

    @Test
    void explain_works_on_an_older_outbox_and_says_how_to_see_its_consumers() {
        orders.write("4711");
        String event = orders.value("SELECT event_id FROM outbox");
        orders.versionIs(4);
        try {
            assertThat(execute("explain", "--source", "orders", event))
                    .as(out.toString())
                    .isZero();
            assertThat(out.toString())
                    .contains("is in the outbox, not published yet")
                    .contains("Its consumers are not shown: The inbox has version 4, this command needs 5. Upgrade it"
                            + " with the command migrate.");
            assertThat(execute("inbox", "status", "--source", "orders")).isEqualTo(1);
            assertThat(out.toString()).contains("The inbox has version 4, this command needs 5.");
        } finally {
            orders.versionIs(5);
        }
    }

    @Test
    void an_inbox_alone_needs_no_source_and_is_migrated_by_its_name() {
        environment.keySet().removeIf(name -> name.contains("_SOURCES_"));
        rows.put("a", "parked");

        assertThat(execute("inbox", "failures", "list")).as(err.toString()).isZero();
        assertThat(execute("explain", SOME_ID)).isZero();
        assertThat(out.toString()).startsWith("inbox billing\n  Consumer billing knows nothing of it");
        assertThat(execute("migrate", "--source", "billing")).as(err.toString()).isZero();
        assertThat(out.toString()).startsWith("inbox billing: schema ").contains("nothing to do");
        assertThat(execute("status")).isEqualTo(2);
        assertThat(err.toString()).contains("sources (not given) is missing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "inbox failures retry | or --all",
                "inbox failures retry --all " + SOME_ID + " | --all cannot be combined with event ids.",
                "inbox failures retry --all --source stock | There is no source or inbox stock. Configured: orders,"
                        + " billing.",
                "inbox failures discard --all | --reason",
                "inbox failures discard --state waiting --reason why | Possible: retrying, parked.",
                "inbox failures discard --state paused --reason why | Possible: retrying, parked.",
                "inbox failures list --state paused | 'paused' is not a state of a failure. Possible: retrying, parked,"
                        + " waiting.",
                "inbox failures list --lanes | Unknown option: '--lanes'",
                "failures list --consumer billing | Unknown option",
                "failures list --source billing | There is no source billing. Configured: orders.",
                "inbox failures show 1-1-1-1-1 | is not the id of an event",
                "inbox redrive | Missing required option: '--queue=QUEUE'",
                "inbox redrive --queue BLANK | --queue must not be empty",
                "inbox redrive --queue q --limit 0 | --limit must be positive",
                "inbox redrive --queue q --user u | --user needs --source"
            })
    void wrong_use_is_2_and_says_what_is_right(String arguments, String message) {
        String[] words = arguments.replace("BLANK", "\u00a0").split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace("\u00a0", " ");
        }

        assertThat(execute(words)).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper().readTree(out.toString());
    }

    private void configure(String entry, OutboxDatabase database, String url) {
        environment.put("OUTBOX_RELAY_" + entry + "_URL", url);
        environment.put("OUTBOX_RELAY_" + entry + "_USER", database.database().user());
        environment.put(
                "OUTBOX_RELAY_" + entry + "_PASSWORD", database.database().password());
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
