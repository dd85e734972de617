package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.registry.RegistrySchemas;
import io.outboxrelay.schemas.registry.RegistrySettings;
import io.outboxrelay.testservers.PrivateRegistry;
import io.outboxrelay.testservers.RegistryLine;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The gate with a real registry, database and broker. */
@Tag("server")
class SchemaGateTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Note NOTE = new Note("a test", "its schema is registered by now");
    private static final Schema FIRST = parse("{'name':'id','type':'string'}");
    private static final Schema SECOND =
            parse("{'name':'id','type':'string'},{'name':'currency','type':'string','default':'EUR'}");
    private static final Schema BROKEN = parse("{'name':'id','type':'int'}");

    private static PrivateRegistry server;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private OutboxDatabase database;
    private TestVirtualHost host;
    private Connection connection;
    private Channel channel;
    private Registry registry;
    private Source source;

    @BeforeAll
    static void start_a_registry() {
        server = Servers.startPrivateRegistry(RegistryLine.TWO);
    }

    @AfterAll
    static void stop_the_registry() {
        server.close();
    }

    @BeforeEach
    void start_a_source() throws Exception {
        server.start();
        registry = new Registry(new RegistrySettings(server.url(), new Credentials.None()));
        database = OutboxDatabase.withLanes(2);
        host = Servers.rabbitmq().newVirtualHost();
        connection = host.connectionFactory().newConnection();
        channel = connection.createChannel();
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("orders", true, false, false, null);
        channel.queueBind("orders", "events", "#");
    }

    @AfterEach
    void stop_the_source() {
        if (source != null) {
            source.drain(System.nanoTime() + PATIENCE.toNanos());
        }
        connection.abort(2_000);
        host.close();
        database.close();
    }

    @Test
    void an_event_of_an_unknown_schema_is_parked_alone_and_delivered_in_order_once_it_is_registered() {
        registry.register("unknown.Paid", FIRST);
        source = start("unknown.{event_type}");
        for (int n = 0; n < 20; n++) {
            write("before-" + n, FIRST, "{}");
        }
        write("a", SECOND, claim("unknown.Paid", 2, SECOND));
        write("a", FIRST, "{}");
        for (int n = 0; n < 20; n++) {
            write("after-" + n, FIRST, claim("unknown.Paid", 1, FIRST));
        }

        assertThat(received(40)).noneMatch(message -> message.startsWith("a "));
        await().atMost(PATIENCE).until(() -> states().equals(List.of("parked", "waiting")));
        assertThat(database.value("SELECT attempts || ' ' || reason || ' ' || detail FROM outbox_failure"
                        + " WHERE state = 'parked'"))
                .startsWith("1 schema-unknown subject unknown.Paid has in the registry " + server.url())
                .contains("the versions 1, and the event was written with version 2");

        registry.register("unknown.Paid", SECOND);
        assertThat(failures().failedEvents().retry(everything(), NOTE, changed -> {}))
                .isEqualTo(1);

        assertThat(received(2)).containsExactly("a " + fingerprint(SECOND), "a " + fingerprint(FIRST));
        await().atMost(PATIENCE).until(() -> states().isEmpty());
    }

    @Test
    void an_event_of_an_incompatible_schema_is_parked_with_subject_version_and_rule() {
        registry.register("broken.Paid", FIRST);
        registry.register("broken.Paid", BROKEN); // before anything was promised
        registry.setCompatibility("broken.Paid", Compatibility.FULL_TRANSITIVE);
        source = start("broken.{event_type}");
        write("a", BROKEN, "{}");
        write("b", FIRST, "{}");

        assertThat(received(1)).containsExactly("b " + fingerprint(FIRST));
        await().atMost(PATIENCE).until(() -> states().equals(List.of("parked")));
        assertThat(database.value("SELECT reason || ' ' || detail FROM outbox_failure"))
                .startsWith("schema-incompatible subject broken.Paid version 2 in the registry")
                .contains("rule type-changed at Paid.id, FULL_TRANSITIVE");
    }

    @Test
    void while_the_registry_is_away_known_schemas_go_on_and_others_wait_without_spending_attempts() {
        registry.register("away.Paid", FIRST);
        registry.register("away.Paid", SECOND);
        source = start("away.{event_type}");
        write("a", FIRST, "{}");
        assertThat(received(1)).hasSize(1);
        await().atMost(PATIENCE).until(() -> source.trouble().isEmpty());

        server.kill();
        write("a", SECOND, "{}");
        write("a", FIRST, "{}");
        for (int n = 0; n < 10; n++) {
            write("known-" + n, FIRST, "{}");
        }

        assertThat(received(10)).allMatch(message -> message.startsWith("known-"));
        await().atMost(PATIENCE)
                .until(() -> database.number("SELECT coalesce(max(failures), 0) FROM outbox_failure") > 3);
        assertThat(database.column("SELECT DISTINCT attempts || ' ' || state || ' ' || reason FROM outbox_failure"
                        + " WHERE reason IS NOT NULL"))
                .containsExactly("0 retrying schema-unchecked");
        assertThat(source.trouble())
                .hasValueSatisfying(trouble -> assertThat(trouble)
                        .contains("schemas cannot be looked up", server.url().toString()));
        assertThat(gauge("outbox_relay_schemas_reachable")).isZero();
        assertThat(gauge("outbox_relay_source_ready")).isZero();

        server.start();
        assertThat(received(2)).containsExactly("a " + fingerprint(SECOND), "a " + fingerprint(FIRST));
        await().atMost(PATIENCE).until(() -> gauge("outbox_relay_source_ready") == 1);
        await().atMost(PATIENCE).until(() -> states().isEmpty());
        assertThat(gauge("outbox_relay_schemas_reachable")).isEqualTo(1);
    }

    @Test
    void a_registry_that_is_away_at_the_start_lets_nothing_through_until_it_is_back() {
        registry.register("late.Paid", FIRST);
        server.kill();
        source = start("late.{event_type}");
        write("a", FIRST, "{}");
        write("json", null, "{}");

        assertThat(received(1)).containsExactly("json none");
        await().atMost(PATIENCE)
                .until(() -> database.number("SELECT coalesce(max(failures), 0) FROM outbox_failure") > 2);
        assertThat(source.trouble()).isPresent();

        server.start();
        assertThat(received(1)).containsExactly("a " + fingerprint(FIRST));
    }

    @Test
    void version_2_rolls_out_producer_first_and_then_consumer_while_events_are_in_flight() throws Exception {
        rollsOut("producer-first.Paid", true);
    }

    @Test
    void version_2_rolls_out_consumer_first_and_then_producer_while_events_are_in_flight() throws Exception {
        rollsOut("consumer-first.Paid", false);
    }

    @Test
    void version_3_is_stopped_by_the_registry_which_names_the_field() {
        twoVersions("refused.Paid");

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> registry.register("refused.Paid", BROKEN))
                .satisfies(e -> assertThat(e.kind()).isEqualTo(RegistryException.Kind.INCOMPATIBLE))
                .withMessageContaining("refused.Paid")
                .withMessageContaining("/fields/0");
        assertThat(registry.versions("refused.Paid")).containsExactly(1, 2);
    }

    @Test
    void version_3_is_stopped_at_the_relay_which_names_the_rule(@TempDir Path contracts) throws Exception {
        twoVersions("third.Paid");
        // It was deployed nevertheless, and it is in the catalogue that the relay uses for explanations.
        Files.writeString(
                contracts.resolve("contracts.yaml"), "owner: shop\nsubjects:\n  third.Paid: {event-type: Paid}\n");
        Files.createDirectories(contracts.resolve("third.Paid"));
        for (Schema schema : List.of(FIRST, SECOND, BROKEN)) {
            int number = List.of(FIRST, SECOND, BROKEN).indexOf(schema) + 1;
            Files.writeString(contracts.resolve("third.Paid/v" + number + ".avsc"), schema.toString());
        }
        source = start("third.{event_type}", contracts);
        write("a", BROKEN, claim("third.Paid", 3, BROKEN));
        write("b", SECOND, claim("third.Paid", 2, SECOND));

        assertThat(received(1)).containsExactly("b " + fingerprint(SECOND));
        await().atMost(PATIENCE).until(() -> states().equals(List.of("parked")));
        assertThat(database.value("SELECT reason || ' ' || detail FROM outbox_failure"))
                .startsWith("schema-incompatible subject third.Paid")
                .contains("written with version 3", "rule type-changed at Paid.id");
    }

    private void twoVersions(String subject) {
        registry.register(subject, FIRST);
        registry.setCompatibility(subject, Compatibility.FULL_TRANSITIVE);
        registry.register(subject, SECOND);
    }

    /**
     * Version 1 runs on both sides; then one side moves to version 2 and later the other, without a pause in writing.
     */
    private void rollsOut(String subject, boolean producerFirst) throws Exception {
        registry.register(subject, FIRST);
        registry.setCompatibility(subject, Compatibility.FULL_TRANSITIVE);
        source = start(subject.replace("Paid", "{event_type}"));
        AtomicReference<Schema> writes = new AtomicReference<>(FIRST);
        AtomicReference<Reader> reads = new AtomicReference<>(new Reader(1, reader(subject, FIRST)));
        AtomicBoolean ended = new AtomicBoolean();
        AtomicInteger written = new AtomicInteger();
        Queue<String> read = new ConcurrentLinkedQueue<>();
        Queue<String> pairs = new ConcurrentLinkedQueue<>();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        Thread producer = new Thread(() -> {
            while (!ended.get()) {
                int n = written.getAndIncrement();
                write("order-" + n % 5, writes.get(), "{}", "order-" + n % 5 + " " + n);
            }
        });
        channel.basicConsume(
                "orders",
                true,
                (tag, message) -> {
                    try {
                        Reader reader = reads.get();
                        read.add(String.valueOf(
                                reader.decoder().decode(message.getBody()).get("id")));
                        pairs.add(pair(reader.version(), HexFormat.of().formatHex(message.getBody(), 2, 10)));
                    } catch (RuntimeException e) {
                        failures.add(e);
                    }
                },
                tag -> {});
        producer.start();
        try {
            reached(pairs, pair(1, fingerprint(FIRST)), failures);
            registry.register(subject, SECOND);
            if (producerFirst) {
                writes.set(SECOND);
                reached(pairs, pair(1, fingerprint(SECOND)), failures);
                reads.set(new Reader(2, reader(subject, SECOND)));
            } else {
                reads.set(new Reader(2, reader(subject, SECOND)));
                reached(pairs, pair(2, fingerprint(FIRST)), failures);
                writes.set(SECOND);
            }
            reached(pairs, pair(2, fingerprint(SECOND)), failures);
        } finally {
            ended.set(true);
            producer.join();
        }
        // An event may come twice; its first coming is what order is about.
        await().atMost(PATIENCE).until(() -> Set.copyOf(read).size() == written.get());
        assertThat(failures).isEmpty();
        assertThat(states()).isEmpty();
        for (int order = 0; order < 5; order++) {
            String name = "order-" + order + " ";
            assertThat(read.stream()
                            .distinct()
                            .filter(id -> id.startsWith(name))
                            .map(id -> Integer.valueOf(id.substring(name.length()))))
                    .isSorted();
        }
    }

    private record Reader(int version, EventDecoder<GenericRecord> decoder) {}

    private static String pair(int readerVersion, String writer) {
        return "version " + readerVersion + " reads " + writer;
    }

    /** Waits until this number of events of one writer reached one version of the reader. */
    private static void reached(Queue<String> pairs, String pair, Queue<Throwable> failures) {
        await().atMost(PATIENCE)
                .until(() -> !failures.isEmpty()
                        || pairs.stream().filter(pair::equals).count() >= 50);
        assertThat(failures).isEmpty();
    }

    private EventDecoder<GenericRecord> reader(String subject, Schema schema) {
        return EventDecoder.of(schema, new RegistrySchemas(registry, Set.of(subject)));
    }

    private Source start(String subject) {
        return start(subject, null);
    }

    private Source start(String subject, Path catalogue) {
        GateSettings schemas = new GateSettings(
                GateSettings.Mode.REGISTRY,
                catalogue,
                subject,
                new RegistrySettings(server.url(), new Credentials.None()).patient(Duration.ofSeconds(5), 1));
        Source started = new Source(
                new SourceSettings(
                        "orders",
                        database.database().jdbcUrl(),
                        database.database().user(),
                        database.database().password(),
                        OutboxSchema.DEFAULT_NAME,
                        4,
                        Duration.ofSeconds(5),
                        SourceSettings.Wakeup.NONE,
                        null,
                        schemas),
                "relay",
                new BrokerSettings(
                        URI.create(host.amqpUri()),
                        "events",
                        "order.{event_type}",
                        BrokerSettings.Topology.DECLARE,
                        false,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5),
                        null,
                        null,
                        false),
                new LaneSettings(1_000, 10_000_000, 100, 250, 10_000_000, 1_000_000, Duration.ofSeconds(5)),
                new FailurePolicy(
                        3,
                        Duration.ZERO,
                        false,
                        Duration.ofMillis(50),
                        Duration.ofMillis(200),
                        ByRoute.always(OnPark.BLOCK),
                        ByRoute.always(Unroutable.PARK)),
                new LeaseSettings(Duration.ofSeconds(15), Duration.ofMillis(200)),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                meters);
        started.start();
        return started;
    }

    private Failures failures() {
        return Dialect.POSTGRESQL.failures(
                OutboxSchema.DEFAULT_NAME, database.database().dataSource());
    }

    private static Filter everything() {
        return new Filter(List.of(), Set.of(State.values()), null, null, null, null, null);
    }

    private void write(String order, Schema schema, String headers) {
        write(order, schema, headers, "x");
    }

    private void write(String order, Schema schema, String headers, String id) {
        byte[] payload = schema == null ? new byte[] {'{', '}'} : body(schema, id);
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES ('Order', '%s', 'Paid', decode('%s', 'hex'), '%s', '%s')\
            """.formatted(
                        order,
                        HexFormat.of().formatHex(payload),
                        schema == null ? "application/json" : EventEncoder.CONTENT_TYPE,
                        headers));
    }

    private static byte[] body(Schema schema) {
        return body(schema, "x");
    }

    private static byte[] body(Schema schema, String id) {
        GenericData.Record record = new GenericData.Record(schema);
        schema.getFields()
                .forEach(field ->
                        record.put(field.pos(), field.schema().getType() == Schema.Type.INT ? (Object) 1 : id));
        return EventEncoder.singleObject().encode(record);
    }

    private static String fingerprint(Schema schema) {
        return HexFormat.of().formatHex(body(schema), 2, 10);
    }

    private static String claim(String subject, int version, Schema schema) {
        return "{\"%s\": \"%s\"}"
                .formatted(DataSchema.HEADER, new DataSchema(subject, version, SchemaIdentity.of(schema)).uri());
    }

    private List<String> states() {
        return database.column("SELECT state FROM outbox_failure ORDER BY id");
    }

    private double gauge(String name) {
        return meters.get(name).gauge().value();
    }

    /** Waits for this number of messages; each as its aggregate's id and the fingerprint of its payload. */
    private List<String> received(int count) {
        List<String> messages = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            for (GetResponse next = channel.basicGet("orders", true);
                    next != null;
                    next = channel.basicGet("orders", true)) {
                byte[] body = next.getBody();
                messages.add(next.getProps().getHeaders().get("aggregate_id") + " "
                        + (body.length < 10 ? "none" : HexFormat.of().formatHex(body, 2, 10)));
            }
            return messages.size() >= count;
        });
        return messages;
    }

    private static Schema parse(String fields) {
        return new Schema.Parser()
                .parse("{'type':'record','name':'Paid','namespace':'shop','fields':[%s]}"
                        .formatted(fields)
                        .replace('\'', '"'));
    }
}
