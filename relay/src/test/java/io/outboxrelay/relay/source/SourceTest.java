package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DeliverCallback;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole sources in one JVM, between a real database and a real broker. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#hereInFull")
@Tag("server")
class SourceTest {

    @Parameter
    DatabaseKind kind;

    private static final int LANES = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<Source> sources = new ArrayList<>();
    private final Map<String, List<Integer>> received = new ConcurrentHashMap<>();
    private @Nullable Duration retain;
    private OutboxDatabase database;
    private TestVirtualHost host;
    private Connection consumer;

    @BeforeEach
    void connect() throws Exception {
        database = OutboxDatabase.withLanes(kind, LANES);
        host = Servers.rabbitmq().newVirtualHost();
        consumer = host.connectionFactory().newConnection();
        Channel channel = consumer.createChannel();
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("orders", true, false, false, Map.of());
        channel.queueBind("orders", "events", "#");
        DeliverCallback note = (tag, message) -> received.computeIfAbsent(
                        message.getProperties().getHeaders().get("aggregate_id").toString(),
                        id -> new CopyOnWriteArrayList<>())
                .add(Integer.valueOf(new String(message.getBody(), StandardCharsets.UTF_8)));
        channel.basicConsume("orders", true, note, tag -> {});
    }

    @AfterEach
    void disconnect() {
        sources.forEach(SourceTest::drain);
        consumer.abort(2_000);
        host.close();
        database.close();
    }

    // hazards 13, 14, 17, 18, 19, 23
    @Test
    void two_relays_share_the_lanes_and_deliver_every_aggregate_in_order_while_eight_connections_write()
            throws Exception {
        Source first = start("first");
        Source second = start("second");
        ExecutorService writers = Executors.newFixedThreadPool(8);
        List<Future<Map<String, Integer>>> work = new ArrayList<>();
        for (int n = 0; n < 8; n++) {
            int writer = n;
            work.add(writers.submit(() -> write(writer)));
        }
        Map<String, Integer> written = new ConcurrentHashMap<>();
        for (Future<Map<String, Integer>> one : work) {
            written.putAll(one.get());
        }
        writers.shutdown();

        await().atMost(PATIENCE)
                .until(() -> received.values().stream().mapToInt(List::size).sum()
                        >= written.values().stream().mapToInt(Integer::intValue).sum());
        written.forEach((order, count) -> assertThat(received.get(order))
                .as("the events of order %s", order)
                .isEqualTo(numbersUpTo(count)));
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
        await().atMost(PATIENCE).until(() -> first.ownedLanes() == LANES / 2 && second.ownedLanes() == LANES / 2);
        assertThat(first.trouble()).isEmpty();
    }

    // hazards 23, 25
    @Test
    void the_lanes_of_a_relay_that_drains_are_free_at_once_and_nothing_that_was_confirmed_is_left() {
        Source first = start("first");
        await().atMost(PATIENCE).until(() -> first.ownedLanes() == LANES);
        for (int n = 0; n < 500; n++) {
            write("order-" + n, 0);
        }

        drain(first);

        assertThat(database.column("SELECT owner FROM outbox_lane WHERE owner IS NOT NULL"))
                .isEmpty();
        assertThat(database.column("SELECT instance FROM outbox_instance")).isEmpty();
        start("second");
        await().atMost(PATIENCE).until(() -> received.size() == 500);
        assertThat(received.values()).as("none was published twice").allMatch(events -> events.size() == 1);
    }

    @Test
    void what_two_relays_publish_is_retained_once_and_in_order() throws Exception {
        retain = Duration.ofDays(1);
        start("first");
        start("second");
        Map<String, Integer> byOrder = write(0);
        int written = byOrder.values().stream().mapToInt(Integer::intValue).sum();

        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox_published") >= written);

        assertThat(database.number("SELECT count(DISTINCT event_id) FROM outbox_published"))
                .isEqualTo(written);
        byOrder.forEach((order, count) -> assertThat(
                        database.column("SELECT %s FROM outbox_published WHERE aggregate_id = '%s' ORDER BY id"
                                .formatted(
                                        database.isInnoDb()
                                                ? "convert(payload USING utf8mb4)"
                                                : "convert_from(payload, 'UTF8')",
                                        order)))
                .as("order %s", order)
                .isEqualTo(numbersUpTo(count).stream().map(String::valueOf).toList()));
        if (kind == DatabaseKind.POSTGRESQL) {
            assertThat(database.number("SELECT count(*) FROM pg_class WHERE relname ~ '^outbox_published_[0-9]{8}$'"))
                    .as("days from today on")
                    .isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void idle_lanes_are_looked_at_by_one_query_for_all_of_them() {
        Source source = start("first");
        await().atMost(PATIENCE).until(() -> source.ownedLanes() == LANES);
        write("order", 0);
        await().atMost(PATIENCE).until(() -> received.size() == 1);
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);
        long claims = claims();

        database.letPass(Duration.ofSeconds(3));

        assertThat(claims() - claims).as("claims of 8 idle lanes in 3 s").isLessThan(100);
    }

    @Test
    void a_schema_that_is_missing_is_named_with_what_is_needed_and_the_command() {
        try (TestDatabase empty = kind.newDatabase()) {
            Source source = source("first", empty);

            assertThatThrownBy(source::start)
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("there is no outbox in the schema 'public'")
                    .hasMessageContaining("version " + OutboxSchema.REQUIRED_VERSION + " is needed")
                    .hasMessageContaining(
                            "outbox-relay.jar migrate --url " + empty.jdbcUrl().replaceFirst("\\?.*", ""));
        }
    }

    @Test
    void a_schema_that_is_too_old_is_refused_with_both_versions_and_the_command() {
        setVersion(1);
        Source source = source("first");

        assertThatThrownBy(source::start)
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("has version 1, this relay needs " + OutboxSchema.REQUIRED_VERSION)
                .hasMessageContaining("outbox-relay.jar migrate");
    }

    @Test
    void the_oldest_version_that_is_not_refused_has_everything_that_a_relay_uses() {
        database.execute("DROP TABLE inbox_failure");
        database.execute("DROP TABLE inbox_instance");
        database.execute("DROP TABLE inbox_history");
        database.execute("DROP TABLE outbox_subscription");
        setVersion(OutboxSchema.REQUIRED_VERSION);

        start("first");
        write("order-1", 0);

        await().atMost(PATIENCE).until(() -> received.size() == 1);
    }

    private void setVersion(int version) {
        database.execute((database.isInnoDb()
                        ? "CREATE OR REPLACE VIEW outbox_schema_version AS SELECT %d AS version"
                        : "CREATE OR REPLACE FUNCTION outbox_schema_version() RETURNS int"
                                + " LANGUAGE sql IMMUTABLE AS 'SELECT %d'")
                .formatted(version));
    }

    // hazard 16
    @Test
    void events_written_after_the_table_was_emptied_and_its_positions_began_again_are_published() {
        start("first");
        for (int n = 0; n < 50; n++) {
            write("before-" + n, 0);
        }
        await().atMost(PATIENCE).until(() -> received.size() == 50);
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);

        database.execute("TRUNCATE outbox RESTART IDENTITY");
        for (int n = 0; n < 100; n++) {
            write("after-" + n, 0);
        }

        await().atMost(PATIENCE).until(() -> received.size() == 150);
    }

    // hazard 67
    @Test
    void events_that_appear_below_the_floor_are_reported_and_published() {
        Source source = start("first");
        for (int n = 0; n < 50; n++) {
            write("before-" + n, 0);
        }
        await().atMost(PATIENCE).until(() -> received.size() == 50);
        boolean floors = kind != DatabaseKind.MYSQL;
        await().atMost(PATIENCE)
                .until(() -> !floors || source.floors().values().stream().allMatch(floor -> floor >= 50));
        try (LogLines log = new LogLines()) {
            database.execute("""
                INSERT INTO outbox (position, aggregate_type, aggregate_id, event_type, payload, content_type)
                OVERRIDING SYSTEM VALUE VALUES (1, 'Order', 'restored', 'OrderPlaced', '0', 'text/plain')""");

            await().atMost(PATIENCE).until(() -> {
                source.checkBelowFloors();
                return received.size() == 51;
            });

            assertThat(database.number("SELECT count(*) FROM outbox WHERE position = 1"))
                    .isZero();
            assertThat(log.complaints("events have appeared below the floor")).hasSize(floors ? 1 : 0);
        }
    }

    private Map<String, Integer> write(int writer) {
        Random random = new Random(writer);
        Map<String, Integer> written = new ConcurrentHashMap<>();
        for (int n = 0; n < 150; n++) {
            try (OutboxDatabase.Transaction transaction = database.begin()) {
                Map<String, Integer> now = new ConcurrentHashMap<>(written);
                for (int event = random.nextInt(3); event >= 0; event--) {
                    String order = writer + "-" + random.nextInt(6);
                    int number = now.merge(order, 1, Integer::sum);
                    transaction.write(order, String.valueOf(number).getBytes(StandardCharsets.UTF_8));
                }
                if (random.nextInt(5) > 0) {
                    transaction.commit();
                    written = now;
                }
            }
        }
        return written;
    }

    private void write(String order, int number) {
        database.write(order, String.valueOf(number).getBytes(StandardCharsets.UTF_8));
    }

    private static List<Integer> numbersUpTo(int count) {
        return IntStream.rangeClosed(1, count).boxed().toList();
    }

    private long claims() {
        return meters.get("outbox_relay_claim").timer().count();
    }

    private Source start(String instance) {
        Source source = source(instance);
        source.start();
        return source;
    }

    private Source source(String instance) {
        return source(instance, database.database());
    }

    private Source source(String instance, TestDatabase where) {
        SourceSettings settings = new SourceSettings(
                "orders",
                where.jdbcUrl(),
                where.user(),
                where.password(),
                OutboxSchema.DEFAULT_NAME,
                4,
                Duration.ofSeconds(5),
                SourceSettings.Wakeup.NONE,
                retain);
        BrokerSettings broker = new BrokerSettings(
                URI.create(host.amqpUri()),
                "events",
                "{aggregate_type}.{event}",
                BrokerSettings.Topology.DECLARE,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                null,
                null,
                false);
        LaneSettings lane = new LaneSettings(1_000, 10_000_000, 100, 250, 10_000_000, 1_000_000, Duration.ofSeconds(5));
        Source source = new Source(
                settings,
                instance,
                broker,
                lane,
                Events.patientPolicy(),
                new LeaseSettings(Duration.ofSeconds(15), Duration.ofMillis(200)),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                meters);
        sources.add(source);
        return source;
    }

    private static void drain(Source source) {
        source.drain(System.nanoTime() + Duration.ofSeconds(20).toNanos());
    }
}
