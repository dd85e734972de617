package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.source.Source;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.sql.DataSource;
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
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import picocli.CommandLine;

/** The command {@code subscribe}, with real databases, a real broker and a real consumer. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#hereInFull")
@Tag("server")
class SubscribeCommandTest {

    @Parameter
    DatabaseKind kind;

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ConsumerQueue QUEUE = ConsumerQueue.named("billing.orders")
            .boundToEvents("events", "Order")
            .catchUp();

    private static OutboxDatabase database;
    private static OutboxStore outbox;
    private static OwnedLane owned;
    private static TestVirtualHost host;
    private static Connection connection;
    private static Channel channel;

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeParameterizedClassInvocation
    static void connect(DatabaseKind kind) throws Exception {
        database = OutboxDatabase.withLanes(kind, 1);
        outbox = database.retainingOutbox();
        owned = outbox.acquire("relay", 1, Duration.ofHours(1)).get(0);
        host = Servers.rabbitmq().newVirtualHost();
        connection = host.connectionFactory().newConnection();
        channel = connection.createChannel();
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        connection.abort(2_000);
        host.close();
        database.close();
    }

    @BeforeEach
    void begin_anew() {
        database.execute("TRUNCATE outbox, outbox_published, outbox_audit, outbox_subscription, inbox, inbox_history"
                + " RESTART IDENTITY");
        configure("ORDERS", database);
    }

    @AfterEach
    void forget_the_queue() throws IOException {
        for (String queue : List.of("billing.orders", "billing.orders.history")) {
            channel.queueDelete(queue);
        }
        channel.exchangeDelete("billing.orders.history.end");
    }

    // hazard 97
    @Test
    void a_late_consumer_gets_every_event_once_and_in_order_although_the_command_is_killed(@TempDir Path folder)
            throws Exception {
        try (OutboxDatabase shop = OutboxDatabase.withLanes(kind, 4);
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            configure("SHOP", shop);
            environment.put("OUTBOX_RELAY_BROKER_URI", broker.amqpUri());
            JdbcTemplate effects = new JdbcTemplate(shop.database().dataSource());
            effects.execute("CREATE TABLE effect (id varchar(36) NOT NULL, aggregate varchar(9), number int)");
            Source relay = relay(shop, broker);
            try (Connection another = broker.connectionFactory().newConnection();
                    Channel audit = another.createChannel()) {
                audit.exchangeDeclare("events", "topic", true);
                audit.queueDeclare("audit", true, false, false, null);
                audit.queueBind("audit", "events", "#");
                relay.start();
                write(shop, 0, 60);
                await().atMost(PATIENCE).until(() -> shop.number("SELECT count(*) FROM outbox_published") == 60);

                try (IdempotentConsumer billing = consumer(shop, broker, QUEUE.partitions(3, 4), event -> {
                    effects.update(
                            "INSERT INTO effect VALUES (?, ?, ?)",
                            event.id().toString(),
                            event.aggregateId(),
                            Integer.parseInt(new String(event.payload(), StandardCharsets.UTF_8)));
                })) {
                    awaitHistory(broker);
                    write(shop, 60, 90);
                    try (JavaProcess command = JavaProcess.startClass(
                            Main.class,
                            List.of(
                                    "subscribe",
                                    "--source=shop",
                                    "--queue=billing.orders",
                                    "--from=BEGINNING",
                                    "--reason=new",
                                    "--rate=5"),
                            environment,
                            folder.resolve("command.log"))) {
                        await().atMost(PATIENCE)
                                .until(() -> shop.number("SELECT count(*) FROM outbox_subscription WHERE sent_up_to > 0"
                                                + " AND completed_at IS NULL")
                                        == 1);
                        command.kill();
                    }
                    assertThat(billing.isCatchingUp()).isTrue();

                    assertThat(subscribe("--source=shop", "--from=BEGINNING", "--reason=new"))
                            .as(err.toString())
                            .isZero();
                    write(shop, 90, 120);

                    await().atMost(PATIENCE).until(() -> count(effects) >= 120);
                    assertThat(err.toString()).contains("source shop: subscribe 2: continuing with ");
                    assertThat(out.toString())
                            .endsWith("queue billing.orders: the history is complete; its consumer"
                                    + " continues with new events after it\n");
                    await().atMost(PATIENCE).until(() -> !billing.isCatchingUp());
                }
            } finally {
                relay.drain(System.nanoTime() + PATIENCE.toNanos());
            }
            assertThat(effects.queryForList("SELECT id FROM effect", String.class))
                    .doesNotHaveDuplicates();
            for (int aggregate = 0; aggregate < 6; aggregate++) {
                assertThat(effects.queryForList(
                                "SELECT number FROM effect WHERE aggregate = ?",
                                Integer.class,
                                Integer.toString(aggregate)))
                        .as("aggregate %d", aggregate)
                        .hasSize(20)
                        .isSorted();
            }
        }
    }

    @Test
    void waits_for_what_may_have_been_published_before_the_queue_was_bound() throws Exception {
        declare();
        published(2);
        write(database, 2, 5); // a relay may have published them, and not settled yet

        CompletableFuture<Integer> command =
                CompletableFuture.supplyAsync(() -> subscribe("--from", "BEGINNING", "--reason", "new"));
        await().atMost(PATIENCE).until(() -> err.toString().contains("waiting until 3 events of the outbox"));
        assertThat(channel.messageCount("billing.orders.history")).isZero();
        settle();

        assertThat(command.get()).as(err.toString()).isZero();
        assertThat(out.toString())
                .startsWith("source orders: subscribe 1: sent 5 events to billing.orders."
                        + " The oldest retained event was published at 20")
                .contains("; the history has no earlier ones.\n");
        List<GetResponse> received = received(6);
        assertThat(received.subList(0, 5).stream().map(SubscribeCommandTest::number))
                .containsExactly("0", "1", "2", "3", "4");
        assertThat(received.get(5).getProps().getHeaders()).containsOnlyKeys("outbox_history_end");
        assertThat(received.get(5).getProps().getMessageId())
                .isEqualTo(database.value("SELECT subscription FROM outbox_subscription"));
    }

    @Test
    void a_history_that_was_sent_is_not_sent_again_unless_that_is_said() throws Exception {
        declare();
        published(4);
        subscribe("--from", "BEGINNING", "--reason", "new");
        assertThat(received(5)).hasSize(5);

        assertThat(subscribe("--from", "BEGINNING", "--reason", "new")).isZero();
        assertThat(out.toString())
                .contains(
                        "the history was sent to billing.orders at 20",
                        "4 events (from the beginning). To send it once" + " more, use --again.");
        assertThat(channel.messageCount("billing.orders.history")).isZero();

        database.execute("UPDATE outbox_subscription SET completed_at = NULL");
        assertThat(subscribe("--from", "2026-01-01", "--reason", "new")).isEqualTo(1);
        assertThat(err.toString())
                .contains(
                        "The history for the queue billing.orders was begun with other options (from the beginning).");

        assertThat(subscribe("--from", "BEGINNING", "--again", "--reason", "new"))
                .isZero();
        assertThat(received(5)).hasSize(5);
        assertThat(database.column("SELECT action || ' ' || events || ' ' || what FROM outbox_audit ORDER BY id"))
                .containsOnly("subscribe 4 to the queue billing.orders, from the beginning")
                .hasSize(2);
    }

    // hazard 97
    @Test
    void what_was_sent_before_the_consumer_began_anew_does_not_count() throws Exception {
        try (OutboxDatabase shop = OutboxDatabase.withLanes(kind, 4);
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            configure("SHOP", shop);
            environment.put("OUTBOX_RELAY_BROKER_URI", broker.amqpUri());
            Set<String> effects = ConcurrentHashMap.newKeySet();
            Source relay = relay(shop, broker);
            try (IdempotentConsumer before = consumer(
                    shop, broker, QUEUE, event -> effects.add(event.id().toString()))) {
                awaitHistory(broker);
                relay.start();
                write(shop, 0, 20);
                await().atMost(PATIENCE).until(() -> shop.number("SELECT count(*) FROM outbox_published") == 20);
                assertThat(before.isCatchingUp()).isTrue();
            } finally {
                relay.drain(System.nanoTime() + PATIENCE.toNanos());
            }
            purge(broker); // so that every effect comes from the history
            shop.execute("DELETE FROM inbox_history");
            assertThat(subscribe("--source=shop", "--from=BEGINNING", "--reason=too early"))
                    .as(err.toString())
                    .isZero();

            try (IdempotentConsumer billing = consumer(
                    shop, broker, QUEUE, event -> effects.add(event.id().toString()))) {
                await().atMost(PATIENCE).until(() -> shop.number("SELECT count(*) FROM inbox_history") == 1);
                awaitHistory(broker);
                assertThat(billing.isCatchingUp()).isTrue();

                assertThat(subscribe("--source=shop", "--from=BEGINNING", "--reason=now"))
                        .as(err.toString())
                        .isZero();

                await().atMost(PATIENCE).until(() -> !billing.isCatchingUp());
                assertThat(effects).hasSize(20);
            }
            assertThat(err.toString())
                    .contains(
                            "what was sent to billing.orders before (20 events, from the beginning) does not count: that"
                                    + " history was deleted");
        }
    }

    // hazard 97
    @Test
    void a_history_that_is_deleted_while_it_is_sent_does_not_become_complete() throws Exception {
        declare();
        published(600);
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(
                () -> subscribe("--from", "BEGINNING", "--rate", "10", "--reason", "new"));
        await().atMost(PATIENCE).until(() -> channel.messageCount("billing.orders.history") > 0);

        forget_the_queue();
        declare();

        assertThat(command.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isOne();
        assertThat(err.toString())
                .contains("was deleted while it was being sent")
                .contains("When the consumer logs that it waits for the history, run the command again.");
        assertThat(database.column("SELECT completed_at FROM outbox_subscription"))
                .containsOnlyNulls();
        assertThat(subscribe("--from", "BEGINNING", "--reason", "new"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("sent 600 events to billing.orders.");
    }

    @Test
    void only_what_the_queue_is_bound_to_is_sent_and_no_header_of_a_service_ends_the_history() throws Exception {
        declare();
        published(6);
        database.execute("UPDATE outbox_published SET aggregate_type = 'Cart' WHERE aggregate_id = '1'");
        database.execute(
                "UPDATE outbox_published SET headers = '{\"outbox_history_end\": true}' WHERE aggregate_id = '2'");

        assertThat(subscribe("--from", "BEGINNING", "--reason", "new"))
                .as(err.toString())
                .isZero();

        assertThat(out.toString()).contains("sent 5 events to billing.orders, left out 1 that no binding matches. ");
        List<GetResponse> received = received(6);
        assertThat(received.subList(0, 5))
                .allSatisfy(
                        message -> assertThat(message.getProps().getHeaders()).doesNotContainKey("outbox_history_end"));
    }

    @Test
    void the_documented_permissions_suffice_and_with_fewer_no_event_is_left_out() throws Exception {
        declare();
        published(6);
        String configure = "^billing\\.orders\\.history\\.";
        String write = "^billing\\.orders\\.history[.:]";
        String read = "^billing\\.orders\\.history\\.";
        assertThat(Files.readString(Path.of("../docs/operations.md")))
                .contains("| `%s` | `%s` | `%s` |".formatted(configure, write, read));
        try (TestVirtualHost tooFew = host.withPermissions(configure, "^billing\\.orders\\.history\\.", read);
                TestVirtualHost enough = host.withPermissions(configure, write, read)) {
            environment.put("OUTBOX_RELAY_BROKER_URI", tooFew.amqpUri());
            assertThat(subscribe("--from", "BEGINNING", "--reason", "new")).isOne();
            assertThat(out.toString() + err).contains("ACCESS_REFUSED");
            assertThat(channel.messageCount("billing.orders.history")).isZero();

            environment.put("OUTBOX_RELAY_BROKER_URI", enough.amqpUri());
            assertThat(subscribe("--from", "BEGINNING", "--reason", "new"))
                    .as(err.toString())
                    .isZero();
            assertThat(received(7)).hasSize(7);
        }
    }

    @Test
    void begins_where_it_is_told_to() throws Exception {
        declare();
        published(6);

        subscribe("--from", "4", "--reason", "new");
        assertThat(received(4).stream().limit(3).map(SubscribeCommandTest::number))
                .containsExactly("3", "4", "5");
        subscribe("--from", "2999-01-01", "--again", "--reason", "only new events");

        assertThat(received(1).get(0).getProps().getHeaders()).containsOnlyKeys("outbox_history_end");
        assertThat(out.toString())
                .endsWith("sent 0 events to billing.orders. Everything from then on is retained.\n"
                        + "queue billing.orders: the history is complete; its consumer continues with new"
                        + " events after it\n");
    }

    @Test
    void the_last_of_several_sources_ends_the_history() throws Exception {
        declare();
        published(2);
        subscribe("--from", "BEGINNING", "--without-end", "--reason", "new");
        assertThat(received(2)).hasSize(2);
        assertThat(channel.messageCount("billing.orders.history")).isZero();

        try (OutboxDatabase other = OutboxDatabase.withLanes(kind, 1)) {
            configure("OTHER", other);
            assertThat(subscribe("--from", "2", "--reason", "new")).isEqualTo(2);
            assertThat(err.toString()).contains("The position 2 belongs to one source: choose it with --source NAME.");
            assertThat(subscribe("--from", "2026-01-01", "--reason", "new"))
                    .as(err.toString())
                    .isZero();
            assertThat(out.toString()).contains("source orders: the history was sent to billing.orders at 20");
        }
        assertThat(received(1).get(0).getProps().getHeaders()).containsOnlyKeys("outbox_history_end");
    }

    @Test
    void a_dry_run_only_counts() throws Exception {
        declare();
        published(10);

        assertThat(subscribe("--from", "4", "--dry-run")).isZero();

        assertThat(out.toString())
                .isEqualTo(
                        "source orders: up to 7 events would be sent, those that match the bindings of billing.orders."
                                + " Everything from then on is retained.\n");
        assertThat(channel.messageCount("billing.orders.history")).isZero();
        assertThat(database.column("SELECT queue FROM outbox_subscription")).isEmpty();
        assertThat(database.column("SELECT who FROM outbox_audit")).isEmpty();
    }

    @Test
    void without_a_queue_that_takes_a_history_it_says_what_to_do() throws Exception {
        published(1);
        assertThat(subscribe("--from", "BEGINNING", "--reason", "new")).isEqualTo(1);
        assertThat(err.toString())
                .contains("there is no queue 'billing.orders' on ", "Start the consumer first: it declares its queue");

        channel.queueDeclare("billing.orders", true, false, false, null);
        assertThat(subscribe("--from", "BEGINNING", "--dry-run")).isEqualTo(1);
        assertThat(err.toString())
                .contains("the queue 'billing.orders' on ", "takes no history", "does not declare it with catchUp()");
        assertThat(database.column("SELECT queue FROM outbox_subscription")).isEmpty();
    }

    @Test
    void without_retained_events_there_is_no_history() throws Exception {
        declare();

        assertThat(subscribe("--from", "BEGINNING", "--reason", "new")).isEqualTo(1);

        assertThat(err.toString())
                .contains("Nothing is retained, so there is no history.", "pass the current time with --from");
        assertThat(channel.messageCount("billing.orders.history")).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--from BEGINNING | Say why: --reason TEXT",
                "--reason x | Missing required option: '--from=BEGINNING|TIME|POSITION'",
                "--from yesterday --reason x | 'yesterday' is not a time such as 2026-01-31",
                "--from BEGINNING --rate 0 --reason x | --rate must be from 1 to 1000000",
            })
    void wrong_use_is_2_and_says_what_is_right(String arguments, String message) {
        assertThat(subscribe(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    private void configure(String name, OutboxDatabase source) {
        environment.put("OUTBOX_RELAY_BROKER_URI", host.amqpUri());
        environment.put(
                "OUTBOX_RELAY_SOURCES_" + name + "_URL", source.database().jdbcUrl());
        environment.put(
                "OUTBOX_RELAY_SOURCES_" + name + "_USER", source.database().user());
        environment.put(
                "OUTBOX_RELAY_SOURCES_" + name + "_PASSWORD", source.database().password());
    }

    private static Source relay(OutboxDatabase shop, TestVirtualHost broker) {
        return new Source(
                new SourceSettings(
                        "shop",
                        shop.database().jdbcUrl(),
                        shop.database().user(),
                        shop.database().password(),
                        OutboxSchema.DEFAULT_NAME,
                        4,
                        Duration.ofSeconds(3),
                        SourceSettings.Wakeup.NONE,
                        Duration.ofDays(1)),
                "relay",
                new BrokerSettings(
                        URI.create(broker.amqpUri()),
                        "events",
                        "{aggregate_type}.{event}",
                        Topology.DECLARE,
                        false,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5),
                        null,
                        null,
                        false),
                new LaneSettings(1_000, 10_000_000, 100, 250, 10_000_000, 1_000_000, Duration.ofSeconds(10)),
                Events.patientPolicy(),
                new LeaseSettings(Duration.ofSeconds(15), Duration.ofMillis(200)),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                new SimpleMeterRegistry());
    }

    private interface Effect {

        void of(ReceivedEvent event);
    }

    private static IdempotentConsumer consumer(
            OutboxDatabase inbox, TestVirtualHost broker, ConsumerQueue queue, Effect effect) {
        DataSource connections = inbox.database().dataSource();
        IdempotentConsumer consumer = IdempotentConsumer.builder(
                        broker.connectionFactory(), new Inbox(connections, new JdbcTransactionManager(connections)))
                .name("billing")
                .queue(queue)
                .handler(effect::of)
                .build();
        consumer.start();
        return consumer;
    }

    /** What a consumer of such a queue declares, but with a queue that a test can read. */
    private static void declare() throws IOException {
        for (String queue : List.of("billing.orders", "billing.orders.history")) {
            channel.queueDeclare(queue, true, false, false, null);
        }
        channel.exchangeDeclare("billing.orders.history:events", "topic", true);
        channel.queueBind("billing.orders.history", "billing.orders.history:events", "order.#");
        channel.exchangeDeclare("billing.orders.history.end", "fanout", true);
        channel.queueBind("billing.orders.history", "billing.orders.history.end", "");
    }

    private static void awaitHistory(TestVirtualHost broker) throws Exception {
        try (Connection asking = broker.connectionFactory().newConnection()) {
            await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                asking.createChannel().exchangeDeclarePassive("billing.orders.history.end");
                return true;
            });
        }
    }

    private static void purge(TestVirtualHost broker) throws Exception {
        try (Connection purging = broker.connectionFactory().newConnection()) {
            purging.createChannel().queuePurge("billing.orders");
        }
    }

    private static int count(JdbcTemplate effects) {
        Integer count = effects.queryForObject("SELECT count(*) FROM effect", Integer.class);
        return count == null ? 0 : count;
    }

    /** Events of six orders, whose payload is their number. */
    private static void write(OutboxDatabase source, int from, int to) {
        IntStream.range(from, to)
                .forEach(number ->
                        source.write(number % 6, Integer.toString(number).getBytes(StandardCharsets.UTF_8)));
    }

    /** Events as a relay that retains leaves them. */
    private static void published(int events) {
        write(database, 0, events);
        settle();
    }

    private static void settle() {
        outbox.settle(
                owned,
                OutboxDatabase.life(outbox, owned),
                outbox.claim(new Claim(owned, 0, 1_000, 10_000_000, List.of()))
                        .orElseThrow()
                        .events());
    }

    private static List<GetResponse> received(int messages) {
        List<GetResponse> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            for (GetResponse next = channel.basicGet("billing.orders.history", true);
                    next != null;
                    next = channel.basicGet("billing.orders.history", true)) {
                received.add(next);
            }
            return received.size() >= messages;
        });
        return received;
    }

    private static String number(GetResponse message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    private int subscribe(String... arguments) {
        List<String> all = new ArrayList<>(List.of("subscribe", "--queue", "billing.orders"));
        all.addAll(List.of(arguments));
        CommandLine command = Main.commandLine(environment);
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        return command.execute(all.toArray(String[]::new));
    }
}
