package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Events that the broker or the relay does not accept, with a real database and a private broker. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class FailuresTest {

    @Parameter
    DatabaseKind kind;

    /** Every key of an order that these tests write, but not {@code order.strange}. */
    private static final List<String> ORDERS = List.of("order.placed", "order.paid", "order.shipped");

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Note NOTE = new Note("a test", "to see what happens");

    private static final int LARGEST_MESSAGE = 5_000;

    private static PrivateRabbitMq server;

    private SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private OutboxDatabase database;
    private Failures failures;
    private TestVirtualHost host;
    private Connection connection;
    private Channel channel;
    private Source source;

    @BeforeAll
    static void start_a_broker() {
        server = Servers.startPrivateRabbitMq();
        limitMessages();
    }

    @AfterAll
    static void stop_the_broker() {
        server.close();
    }

    /** By hand and not by a file, so that it holds for a broker of every kind. */
    private static void limitMessages() {
        server.control(
                "eval",
                "application:set_env(rabbit, max_message_size, %1$d), persistent_term:put(max_message_size, %1$d)."
                        .formatted(LARGEST_MESSAGE));
    }

    @BeforeEach
    void start_a_source() throws Exception {
        database = OutboxDatabase.withLanes(kind, 2);
        failures = database.failures();
        host = server.newVirtualHost();
        connect();
        channel.exchangeDeclare("events", "topic", true);
        orders();
        source = source(policy(Duration.ZERO, false, Unroutable.PARK));
        source.start();
    }

    @AfterEach
    void stop_the_source() {
        source.drain(System.nanoTime() + PATIENCE.toNanos());
        connection.abort(2_000);
        host.close();
        database.close();
    }

    // hazards 2, 9, 29
    @Test
    void an_event_that_nobody_takes_is_parked_and_after_a_retry_its_aggregate_arrives_in_order() throws Exception {
        write("a", "Strange");
        write("a", "OrderPlaced");
        write("b", "OrderPlaced");

        await().atMost(PATIENCE).until(() -> states().equals(List.of("parked", "waiting")));
        assertThat(received("orders", 1)).containsExactly("b OrderPlaced");
        assertThat(database.value("SELECT attempts || ' ' || reason FROM outbox_failure WHERE state = 'parked'"))
                .isEqualTo("3 unroutable");

        channel.queueBind("orders", "events", "order.strange");
        assertThat(failures.failedEvents().retry(everything(), NOTE, changed -> {}))
                .isEqualTo(1);

        assertThat(received("orders", 2)).containsExactly("a Strange", "a OrderPlaced");
        await().atMost(PATIENCE).until(() -> states().isEmpty());
    }

    // hazard 71
    @Test
    void events_that_were_parked_while_their_queue_was_gone_arrive_in_order_by_themselves_once_it_is_back()
            throws Exception {
        restart(policy(Duration.ofSeconds(1), true, Unroutable.PARK));
        for (String key : ORDERS) {
            channel.queueUnbind("orders", "events", key);
        }
        write("a", "OrderPlaced");
        write("a", "OrderPaid");
        write("b", "OrderPlaced");
        await().atMost(PATIENCE)
                .until(() -> states().stream().filter("parked"::equals).count() == 2);
        write("a", "OrderShipped");

        orders();

        List<String> received = received("orders", 4);
        assertThat(received)
                .filteredOn(event -> event.startsWith("a"))
                .containsExactly("a OrderPlaced", "a OrderPaid", "a OrderShipped");
        assertThat(received).contains("b OrderPlaced");
        await().atMost(PATIENCE).until(() -> states().isEmpty());
    }

    // hazard 71
    @Test
    void what_is_dropped_of_a_route_that_worked_before_is_counted_and_told() throws Exception {
        restart(policy(Duration.ofMinutes(5), true, Unroutable.DROP));
        write("a", "OrderPlaced");
        assertThat(received("orders", 1)).containsExactly("a OrderPlaced");
        channel.queueDelete("orders");
        try (LogLines log = new LogLines(Drops.class.getName())) {
            write("b", "OrderPlaced");
            write("c", "Strange");

            await().atMost(PATIENCE).until(() -> dropped(true) == 1 && dropped(false) == 1);
            await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
            assertThat(log.complaints("is dropped")).hasSize(2).anyMatch(line -> line.contains("have reached a queue"));
        }
    }

    private double gauge(String name) {
        return meters.get(name).gauge().value();
    }

    private double dropped(boolean workedBefore) {
        return meters.get("outbox_relay_dropped")
                .tag("worked_before", String.valueOf(workedBefore))
                .functionCounter()
                .count();
    }

    // hazard 10
    @Test
    void a_message_above_the_limit_of_the_broker_is_parked_alone() throws Exception {
        for (int n = 0; n < 20; n++) {
            write("order-" + n, "OrderPlaced");
        }
        database.write("large", new byte[2 * LARGEST_MESSAGE]);
        for (int n = 20; n < 40; n++) {
            write("order-" + n, "OrderPlaced");
        }

        assertThat(received("orders", 40)).doesNotContain("large OrderPlaced");
        await().atMost(PATIENCE).until(() -> states().equals(List.of("parked")));
        assertThat(database.value("SELECT aggregate_id || ' ' || reason FROM outbox_failure"))
                .isEqualTo("large closes-channel");
    }

    // hazard 8
    @Test
    void after_an_outage_longer_than_every_backoff_everything_is_delivered_and_no_attempt_was_spent() throws Exception {
        server.stop();
        write("a", "OrderPlaced");
        database.letPass(Duration.ofSeconds(7));
        assertThat(source.trouble())
                .hasValueSatisfying(trouble -> assertThat(trouble).contains("no connection"));
        assertThat(ready()).isZero();
        server.start();
        limitMessages();
        connect();

        assertThat(received("orders", 1)).containsExactly("a OrderPlaced");

        assertThat(states()).isEmpty();
        await().atMost(PATIENCE).until(() -> source.trouble().isEmpty());
        assertThat(ready()).isEqualTo(1);
    }

    // hazard 7
    @Test
    void a_broker_without_memory_holds_everything_back_spends_no_attempt_and_goes_on_by_itself() throws Exception {
        write("before", "OrderPlaced");
        assertThat(received("orders", 1)).containsExactly("before OrderPlaced");
        server.control("set_vm_memory_high_watermark", "0");
        try {
            write("a", "OrderPlaced"); // the broker blocks who publishes, so it takes one
            await().atMost(PATIENCE).until(() -> ready() == 0);
            assertThat(source.trouble())
                    .hasValueSatisfying(trouble -> assertThat(trouble).contains("blocks publishing"));
            write("b", "OrderPlaced");
        } finally {
            server.control("set_vm_memory_high_watermark", "0.6");
        }

        List<String> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            received.addAll(received("orders", 1));
            return received.containsAll(List.of("a OrderPlaced", "b OrderPlaced"));
        });
        await().atMost(PATIENCE).until(() -> ready() == 1);
        assertThat(states()).isEmpty();
    }

    @Test
    void a_full_queue_holds_its_events_for_as_long_as_it_takes_and_spends_no_attempt() throws Exception {
        queue("bounded", "order.strange", Map.of("x-max-length", 1, "x-overflow", "reject-publish"));
        for (String order : List.of("a", "b", "c")) {
            write(order, "Strange");
        }
        await().atMost(PATIENCE)
                .until(() -> database.number("SELECT coalesce(min(failures), 0) FROM outbox_failure") > 5);
        assertThat(database.column("SELECT DISTINCT attempts || ' ' || state || ' ' || reason FROM outbox_failure"))
                .containsExactly("0 retrying nacked");
        assertThat(database.value("SELECT detail FROM outbox_failure LIMIT 1"))
                .contains("a queue is full", "; exchange 'events', routing key 'order.");
        await().atMost(PATIENCE)
                .until(() ->
                        gauge("outbox_relay_backlog_events") == 0 && gauge("outbox_relay_undelivered_events") >= 2);
        assertThat(gauge("outbox_relay_undelivered_oldest_seconds")).isPositive();
        assertThat(meters.getMeters())
                .map(Meter::getId)
                .filteredOn(
                        id -> !id.getName().endsWith(".histogram")) // which this registry makes of a timer's buckets
                .as("each has a text for HELP")
                .allSatisfy(
                        id -> assertThat(id.getDescription()).as(id.getName()).isNotBlank());

        assertThat(received("bounded", 3)).containsExactlyInAnyOrder("a Strange", "b Strange", "c Strange");
        await().atMost(PATIENCE).until(() -> states().isEmpty());
    }

    // hazard 1
    @Test
    void an_exchange_that_is_deleted_while_publishing_is_declared_again() throws Exception {
        channel.exchangeDelete("events");
        write("a", "OrderPlaced");
        await().atMost(PATIENCE).until(() -> !states().isEmpty());
        orders();
        failures.failedEvents()
                .retry(everything(), NOTE, changed -> {}); // if its attempts were spent before there was a queue again

        assertThat(received("orders", 1)).containsExactly("a OrderPlaced");
    }

    // hazard 26
    @Test
    void an_event_whose_row_cannot_be_a_message_is_parked_alone() throws Exception {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES ('Order', 'cc', 'OrderPlaced', '{}', 'application/json', '{"CC": ["elsewhere"]}')\
            """);
        write("a", "OrderPlaced");

        assertThat(received("orders", 1)).containsExactly("a OrderPlaced");
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
        assertThat(database.column("SELECT aggregate_id || ' ' || state || ' ' || reason FROM outbox_failure"))
                .containsExactly("cc parked not-encodable");
    }

    // hazard 26
    @Test
    void an_event_of_a_time_that_only_postgresql_knows_is_published_if_a_message_can_have_it_and_else_parked()
            throws Exception {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "MariaDB has no such times");
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
            VALUES ('Order', 'never', 'OrderPlaced', '{}', 'application/json', 'infinity'),
                   ('Order', 'once', 'OrderPlaced', '{}', 'application/json', '4713-01-01 BC'),
                   ('Order', 'late', 'OrderPlaced', '{}', 'application/json', '294276-12-31')\
            """);

        // A message's time counts the seconds since 1970 and knows none before.
        assertThat(received("orders", 1)).containsExactly("late OrderPlaced");
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
        assertThat(database.column("SELECT aggregate_id || ' ' || state || ' ' || reason FROM outbox_failure"))
                .containsExactlyInAnyOrder("never parked not-encodable", "once parked not-encodable");
    }

    @Test
    void every_message_carries_the_lane_that_the_database_computed_also_after_a_failure() throws Exception {
        source.drain(System.nanoTime() + PATIENCE.toNanos());
        List<String> orders = List.of("a", "b", "c", "d", "e", "f", "g", "h");
        orders.forEach(order -> write(order, "OrderPlaced"));
        write("a", "Strange");
        write("b", "Strange");
        write("b", "OrderPaid");
        List<String> lanes = database.column("SELECT aggregate_id || ' ' || event_type || ' ' || lane FROM outbox");
        assertThat(lanes).anyMatch(event -> event.endsWith(" 0")).anyMatch(event -> event.endsWith(" 1"));
        restart(policy(Duration.ZERO, false, Unroutable.PARK));
        await().atMost(PATIENCE)
                .until(() -> states().stream().sorted().toList().equals(List.of("parked", "parked", "waiting")));

        channel.queueBind("orders", "events", "order.strange");
        failures.failedEvents().retry(everything(), NOTE, changed -> {});

        assertThat(received("orders", lanes.size(), "outbox_lane")).containsExactlyInAnyOrderElementsOf(lanes);
    }

    @Test
    void a_paused_source_publishes_nothing_until_it_is_resumed() throws Exception {
        failures.pause(new Route("*", "*"), NOTE);
        await().atMost(PATIENCE).until(source::isPaused);
        assertThat(meters.get("outbox_relay_paused_routes").gauge().value()).isEqualTo(1);
        database.letPass(Duration.ofSeconds(1)); // A cycle that began before the pause may still claim.
        write("a", "OrderPlaced");
        database.letPass(Duration.ofSeconds(2));
        assertThat(channel.basicGet("orders", true)).isNull();

        failures.resume(new Route("*", "*"), NOTE);

        assertThat(received("orders", 1)).containsExactly("a OrderPlaced");
    }

    @Test
    void a_paused_route_holds_its_events_in_their_order_and_the_others_go_on() throws Exception {
        failures.pause(new Route("*", "OrderPaid"), NOTE);
        database.letPass(Duration.ofSeconds(2));
        write("a", "OrderPaid");
        write("a", "OrderPlaced");
        write("b", "OrderPlaced");
        assertThat(received("orders", 1)).containsExactly("b OrderPlaced");
        await().atMost(PATIENCE).until(() -> states().equals(List.of("paused", "waiting")));

        failures.resume(new Route("*", "OrderPaid"), NOTE);

        assertThat(received("orders", 2)).containsExactly("a OrderPaid", "a OrderPlaced");
    }

    private void connect() throws Exception {
        connection = host.connectionFactory().newConnection();
        channel = connection.createChannel();
    }

    private void orders() throws IOException {
        for (String key : ORDERS) {
            queue("orders", key, Map.of());
        }
    }

    private void queue(String name, String key, Map<String, Object> arguments) throws IOException {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare(name, true, false, false, arguments);
        channel.queueBind(name, "events", key);
    }

    private void write(String order, String type) {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('Order', '%s', '%s', '{}', 'application/json')\
            """.formatted(order, type));
    }

    private double ready() {
        return meters.get("outbox_relay_source_ready").gauge().value();
    }

    private List<String> states() {
        return database.column("SELECT state FROM outbox_failure ORDER BY id");
    }

    /** Waits for this number of messages. */
    private List<String> received(String queue, int count, String... headers) {
        List<String> messages = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            for (GetResponse next = channel.basicGet(queue, true); next != null; next = channel.basicGet(queue, true)) {
                Map<String, Object> its = next.getProps().getHeaders();
                messages.add(Stream.concat(
                                Stream.of(
                                        its.get("aggregate_id"), next.getProps().getType()),
                                Stream.of(headers).map(its::get))
                        .map(String::valueOf)
                        .collect(Collectors.joining(" ")));
            }
            return messages.size() >= count;
        });
        return messages;
    }

    private static Filter everything() {
        return new Filter(List.of(), Set.of(State.values()), null, null, null, null, null);
    }

    /** After three attempts, by default, for which a person has to bring an event back. */
    private static FailurePolicy policy(Duration parkAfter, boolean resume, Unroutable unroutable) {
        return new FailurePolicy(
                3,
                parkAfter,
                resume,
                Duration.ofMillis(50),
                Duration.ofMillis(200),
                ByRoute.always(OnPark.BLOCK),
                ByRoute.always(unroutable));
    }

    private void restart(FailurePolicy policy) {
        source.drain(System.nanoTime() + PATIENCE.toNanos());
        meters = new SimpleMeterRegistry();
        source = source(policy);
        source.start();
    }

    private Source source(FailurePolicy policy) {
        return new Source(
                new SourceSettings(
                        "orders",
                        database.database().jdbcUrl(),
                        database.database().user(),
                        database.database().password(),
                        OutboxSchema.DEFAULT_NAME,
                        4,
                        Duration.ofSeconds(5),
                        SourceSettings.Wakeup.NONE,
                        null),
                "relay",
                new BrokerSettings(
                        URI.create(host.amqpUri()),
                        "events",
                        "{aggregate_type}.{event}",
                        BrokerSettings.Topology.DECLARE,
                        false,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5),
                        null,
                        null,
                        false),
                new LaneSettings(1_000, 10_000_000, 100, 250, 10_000_000, 1_000_000, Duration.ofSeconds(5)),
                policy,
                new LeaseSettings(Duration.ofSeconds(15), Duration.ofMillis(200)),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                meters);
    }
}
