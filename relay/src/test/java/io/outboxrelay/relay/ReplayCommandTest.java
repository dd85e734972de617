package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import picocli.CommandLine;

/** The command {@code replay}, while no relay runs, with a real database and a real broker. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class ReplayCommandTest {

    @Parameter
    DatabaseKind kind;

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private static OutboxDatabase database;
    private static OutboxStore outbox;
    private static OwnedLane owned;
    private static TestVirtualHost host;
    private static Connection connection;
    private static Channel channel;

    @BeforeParameterizedClassInvocation
    static void connect(DatabaseKind kind) throws Exception {
        database = OutboxDatabase.withLanes(kind, 1);
        outbox = database.retainingOutbox();
        owned = outbox.acquire("relay", 1, Duration.ofHours(1)).get(0);
        host = Servers.rabbitmq().newVirtualHost();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(host.amqpUri());
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.exchangeDeclare("events", "topic", true);
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        connection.abort(2_000);
        host.close();
        database.close();
    }

    @BeforeEach
    void begin_anew() throws Exception {
        database.execute("TRUNCATE outbox, outbox_published, outbox_audit RESTART IDENTITY");
        for (String queue : List.of("orders", "history")) {
            channel.queueDelete(queue);
            channel.queueDeclare(queue, true, false, false, null);
        }
        channel.queueBind("orders", "events", "order.#");
        environment.put("OUTBOX_RELAY_BROKER_URI", host.amqpUri());
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_URL", database.database().jdbcUrl());
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_USER", database.database().user());
        environment.put(
                "OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", database.database().password());
    }

    @Test
    void events_go_once_more_where_they_usually_go_with_their_ids_in_order_and_with_a_header_that_says_so()
            throws Exception {
        List<String> ids = published(120);

        assertThat(replay("--all", "--rate", "10000", "--reason", "a test", "--who", "ann"))
                .as(err.toString())
                .isZero();

        assertThat(out.toString()).isEqualTo("source orders: replay 1: sent 120 events\n");
        List<GetResponse> received = received("orders", 120);
        assertThat(received.stream().map(message -> message.getProps().getMessageId()))
                .containsExactlyInAnyOrderElementsOf(ids);
        assertThat(received.stream()
                        .map(message -> header(message, "outbox_replay") + header(message, "aggregate_type")))
                .containsOnly("1Order");
        assertThat(numbersByOrder(received))
                .allSatisfy((order, numbers) -> assertThat(numbers).hasSize(30).isSorted());
        assertThat(database.column("SELECT who || ': ' || action || ' ' || events || ' ' || reason FROM outbox_audit"))
                .singleElement()
                .asString()
                .startsWith("ann")
                .endsWith(": replay 120 a test");
        assertThat(database.number("SELECT count(*) FROM outbox_published"))
                .as("not once more")
                .isEqualTo(120);
    }

    @Test
    void only_the_queue_that_is_named_gets_them() throws Exception {
        published(10);

        assertThat(replay("--aggregate-id", "1", "--queue", "history", "--reason", "a new view"))
                .isZero();

        assertThat(received("history", 3)).hasSize(3);
        assertThat(channel.messageCount("orders")).isZero();
        assertThat(database.value("SELECT what FROM outbox_audit")).endsWith("aggregate id 1, to the queue history");
    }

    @Test
    void the_lane_that_the_database_computed_travels_with_them() throws Exception {
        published(8);
        database.execute("UPDATE outbox_published SET lane = 6 WHERE aggregate_id = '2'");

        assertThat(replay("--all", "--reason", "a test")).isZero();

        assertThat(received("orders", 8).stream()
                        .map(message -> header(message, "aggregate_id") + " " + header(message, "outbox_lane")))
                .containsOnly("0 0", "1 0", "2 6", "3 0");
    }

    // hazard 30
    @Test
    void an_inbox_drops_what_it_has_seen() throws Exception {
        published(20);
        var connections = database.database().dataSource();
        Inbox inbox = new Inbox(connections, new DataSourceTransactionManager(connections));
        List<String> effects = new ArrayList<>();
        replay("--from", "2026-01-01", "--reason", "the first time");
        consume(inbox, received("orders", 20), effects);
        assertThat(effects).hasSize(20);

        replay("--from", "2026-01-01", "--reason", "once more");
        consume(inbox, received("orders", 20), effects);

        assertThat(effects).hasSize(20).doesNotHaveDuplicates();
    }

    @Test
    void a_queue_that_does_not_exist_stops_it_and_it_goes_on_from_there() throws Exception {
        published(10);
        channel.queueDelete("history");

        assertThat(replay("--all", "--queue", "history", "--reason", "a new view"))
                .isEqualTo(1);
        assertThat(out.toString())
                .contains("replay 1: sent 0 events, then stopped: event ")
                .contains(
                        "cannot be sent, unroutable: no queue is bound to exchange '' for routing key 'history' (312 ")
                .contains("continue with --after 0, or skip the event with --skip-failed.");
        assertThat(database.column("SELECT action || ' ' || events FROM outbox_audit ORDER BY id"))
                .containsExactly("replay 10", "replay stopped 0");

        channel.queueDeclare("history", true, false, false, null);
        assertThat(replay("--all", "--queue", "history", "--after", "4", "--reason", "a new view"))
                .isZero();
        assertThat(received("history", 6)).hasSize(6);
    }

    @Test
    void waits_for_a_full_queue_and_overtakes_nothing() throws Exception {
        published(12);
        channel.queueDelete("history");
        channel.queueDeclare("history", true, false, false, Map.of("x-max-length", 2, "x-overflow", "reject-publish"));
        CompletableFuture<List<GetResponse>> reader = CompletableFuture.supplyAsync(() -> received("history", 12));

        assertThat(replay("--all", "--queue", "history", "--reason", "a new view"))
                .isZero();

        assertThat(out.toString()).contains("sent 12 events");
        assertThat(numbersByOrder(reader.join()))
                .containsOnly(
                        Map.entry("0", List.of(0, 4, 8)),
                        Map.entry("1", List.of(1, 5, 9)),
                        Map.entry("2", List.of(2, 6, 10)),
                        Map.entry("3", List.of(3, 7, 11)));
    }

    @Test
    void what_is_paused_is_not_sent_where_it_usually_goes() {
        published(4);
        execute("pause", "--reason", "billing is repaired", "--who", "ann");
        try {
            assertThat(replay("--all", "--reason", "a test")).isEqualTo(1);
            assertThat(err.toString()).contains("the whole source is paused by ann", "Resume it first");
            assertThat(replay("--all", "--queue", "history", "--reason", "a test"))
                    .isZero();
        } finally {
            execute("resume");
        }
    }

    @Test
    void a_dry_run_only_counts() throws Exception {
        List<String> ids = published(10);

        assertThat(replay("--dry-run", ids.get(3), ids.get(4))).isZero();

        assertThat(out.toString()).isEqualTo("source orders: 2 events would be sent\n");
        assertThat(channel.messageCount("orders")).isZero();
        assertThat(database.column("SELECT who FROM outbox_audit")).isEmpty();
    }

    @Test
    void says_when_nothing_fits_and_when_nothing_is_retained_at_all() {
        assertThat(replay("--all", "--reason", "a test")).isZero();
        assertThat(out.toString()).contains("no retained event matches. Nothing is retained: set retain of the source");
        published(1);

        assertThat(replay("--event-type", "Other", "--reason", "a test")).isZero();
        assertThat(out.toString()).contains("no retained event matches. The oldest retained event was published at 20");
    }

    @Test
    void explain_tells_that_an_event_was_published_and_how_to_send_it_again() {
        String id = published(1).get(0);

        assertThat(execute("explain", id)).isZero();

        assertThat(out.toString())
                .contains(
                        "OrderPlaced of Order 0 was settled at ",
                        " from lane 0, position 1, and is retained: it was published and confirmed, or")
                .contains("To send it again, run: replay --source orders " + id + " --reason TEXT");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--reason x | Say which events: EVENT_ID..., filters, or --all.",
                "--all 123e4567-e89b-12d3-a456-426614174000 --reason x | --all cannot be combined with event ids.",
                "--all | Say why: --reason TEXT",
                "--all --reason x --rate 0 | --rate must be from 1 to 1000000",
                "--from yesterday --reason x | 'yesterday' is not a time such as 2026-01-31",
                "--from 2026-01-02 --to 2026-01-01 --reason x | --from 2026-01-02T00:00:00Z is not before --to",
                "1-1-1-1-1 --reason x | is not the id of an event"
            })
    void wrong_use_is_2_and_says_what_is_right(String arguments, String message) {
        assertThat(replay(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void of_several_sources_one_must_be_named() {
        environment.put("OUTBOX_RELAY_SOURCES_OTHER_URL", database.database().jdbcUrl() + "2");
        environment.put("OUTBOX_RELAY_SOURCES_OTHER_USER", "u");

        assertThat(replay("--all", "--reason", "a test")).isEqualTo(2);
        assertThat(err.toString()).contains("Say which source: --source NAME. Configured: orders, other.");
    }

    /** Events of four orders, numbered, as a relay that retains leaves them; returns their ids. */
    private List<String> published(int events) {
        IntStream.range(0, events)
                .forEach(number ->
                        database.write(number % 4, String.valueOf(number).getBytes(StandardCharsets.UTF_8)));
        outbox.settle(
                owned,
                OutboxDatabase.life(outbox, owned),
                outbox.claim(new Claim(owned, 0, 1_000, 10_000_000, List.of()))
                        .orElseThrow()
                        .events());
        return database.column("SELECT event_id FROM outbox_published ORDER BY id");
    }

    private static void consume(Inbox inbox, List<GetResponse> messages, List<String> effects) {
        messages.forEach(message -> {
            String id = message.getProps().getMessageId();
            inbox.once("history", UUID.fromString(id), () -> effects.add(id));
        });
    }

    private List<GetResponse> received(String queue, int messages) {
        List<GetResponse> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            for (GetResponse next = channel.basicGet(queue, true); next != null; next = channel.basicGet(queue, true)) {
                received.add(next);
            }
            return received.size() >= messages;
        });
        return received;
    }

    private static Map<String, List<Integer>> numbersByOrder(List<GetResponse> messages) {
        return messages.stream()
                .collect(Collectors.groupingBy(
                        message -> header(message, "aggregate_id"),
                        Collectors.mapping(
                                message -> Integer.valueOf(new String(message.getBody(), StandardCharsets.UTF_8)),
                                Collectors.toList())));
    }

    private static String header(GetResponse message, String name) {
        return String.valueOf(message.getProps().getHeaders().get(name));
    }

    private int replay(String... arguments) {
        List<String> all = new ArrayList<>(List.of("replay"));
        all.addAll(List.of(arguments));
        return execute(all.toArray(String[]::new));
    }

    private int execute(String... arguments) {
        CommandLine command = Main.commandLine(environment);
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        return command.execute(arguments);
    }
}
