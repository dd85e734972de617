package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.sql.Connection;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.CannotAcquireLockException;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class IdempotentConsumerTest {

    @Parameter
    DatabaseKind kind;

    private final UUID event = UUID.randomUUID();
    private final List<ReceivedEvent> received = new CopyOnWriteArrayList<>();
    private ClientDatabase database;
    private TestVirtualHost broker;
    private ConsumerHarness harness;

    @BeforeEach
    void open() throws Exception {
        database = new ClientDatabase(kind.newDatabase());
        database.createEffects();
        broker = Servers.rabbitmq().newVirtualHost();
        harness = new ConsumerHarness(broker, database.inbox());
        harness.declare();
    }

    @AfterEach
    void close() {
        harness.close();
        broker.close();
        database.close();
    }

    @Test
    void an_event_arrives_with_everything_it_has_and_its_effect_commits_with_its_note() throws Exception {
        harness.publish(event);

        IdempotentConsumer consumer = harness.start(harness.consumer(this::effect));

        await().until(() -> database.count("effect") == 1);
        ReceivedEvent arrived = received.get(0);
        assertThat(arrived.id()).isEqualTo(event);
        assertThat(arrived.type()).isEqualTo("OrderPlaced");
        assertThat(arrived.aggregateType()).isEqualTo("order");
        assertThat(arrived.aggregateId()).isEqualTo("4711");
        assertThat(arrived.payload()).containsExactly(1, 2, 3);
        assertThat(arrived.contentType()).isEqualTo("text/plain");
        assertThat(arrived.headers()).containsOnly(java.util.Map.entry("tenant", "north"));
        assertThat(arrived.redelivered()).isFalse();
        assertThat(arrived.toString()).contains("OrderPlaced", "3 bytes").doesNotContain("north");
        assertThat(database.count("inbox")).isOne();
        await().until(() -> consumer.handled() == 1);
        assertThat(consumer.handlingTime()).isPositive();
        assertThat(consumer.ageWhenHandled()).isBetween(Duration.ofSeconds(5), Duration.ofMinutes(2));
    }

    @Test
    void events_are_handled_in_the_order_of_the_queue_and_all_are_acknowledged() throws Exception {
        UUID[] events = Stream.generate(UUID::randomUUID).limit(500).toArray(UUID[]::new);
        harness.publish(events);

        IdempotentConsumer consumer = harness.start(harness.consumer(this::effect));
        await().until(() -> received.size() == 500);
        consumer.close();

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(events);
        assertThat(consumer.state()).isEqualTo(State.STOPPED);
        assertThat(harness.ready()).isZero();
    }

    @Test
    void a_duplicate_is_dropped_and_counted() throws Exception {
        UUID last = UUID.randomUUID();
        harness.publish(event, event, event, last);

        IdempotentConsumer consumer = harness.start(harness.consumer(this::effect));
        await().until(() -> database.count("effect") == 2);

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(event, last);
        assertThat(consumer.duplicatesDropped()).isEqualTo(2);
    }

    @Test
    void two_consumers_of_one_name_share_the_queue_and_every_effect_happens_once() throws Exception { // hazard 38
        ConsumerQueue shared = ConsumerQueue.named("billing.shared").shared().boundTo("events", "order.*");
        UUID[] events = Stream.generate(UUID::randomUUID)
                .limit(200)
                .flatMap(id -> Stream.of(id, id))
                .toArray(UUID[]::new);
        IdempotentConsumer one = harness.start(harness.consumer(this::effect).queue(shared));
        IdempotentConsumer two = harness.start(harness.consumer(this::effect).queue(shared));
        await().until(() -> one.state() == State.CONSUMING && two.state() == State.CONSUMING);

        harness.publish(events);
        await().until(() -> one.duplicatesDropped() + two.duplicatesDropped() == 200);

        assertThat(database.count("effect")).isEqualTo(200);
        assertThat(database.jdbc.queryForObject("SELECT count(DISTINCT event_id) FROM effect", Integer.class))
                .isEqualTo(200);
        assertThat(one.deadLettered() + two.deadLettered()).isZero();
    }

    @Test
    void a_handler_that_fails_twice_is_tried_again_in_place() throws Exception { // hazard 41
        UUID next = UUID.randomUUID();
        AtomicInteger attempts = new AtomicInteger();
        harness.publish(event, next);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            effect(e);
            if (e.id().equals(event) && attempts.incrementAndGet() < 3) {
                throw new Exception("not yet");
            }
        }));
        await().until(() -> database.count("effect") == 2);

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(event, event, event, next);
        assertThat(consumer.deadLettered()).isZero();
        assertThat(consumer.retried()).isEqualTo(2);
    }

    @Test
    void an_event_that_the_handler_rejects_goes_to_the_dead_letters_at_once_and_the_log_names_their_queue()
            throws Exception {
        UUID next = UUID.randomUUID();
        harness.publish(event, next);

        try (LogLines log = LogLines.of(IdempotentConsumer.class)) {
            IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
                effect(e);
                if (e.id().equals(event)) {
                    throw new IllegalStateException(new EventRejectedException("of no use"));
                }
            }));
            await().until(() -> database.count("effect") == 1 && consumer.handled() == 1);

            assertThat(ids()).containsExactly(event, next);
            assertThat(consumer.deadLettered()).isOne();
            assertThat(consumer.retried()).isZero();
            assertThat(log.lines())
                    .anySatisfy(line -> assertThat(line)
                            .startsWith("WARN The consumer billing rejects ")
                            .endsWith("it goes to the dead-letter queue billing.orders.dead-letter"));
            assertThat(log.lines()).contains("INFO The consumer billing consumes the queue billing.orders");
        }
        await().untilAsserted(() -> assertThat(harness.deadLetters()).containsExactly(event.toString()));
    }

    @Test
    void an_event_can_be_delivered_without_a_broker_and_has_its_effect_once() {
        IdempotentConsumer consumer = harness.consumer(e -> {
                    effect(e);
                    if (e.type().isEmpty()) {
                        throw new Exception("no type");
                    }
                })
                .build();
        ReceivedEvent placed = new ReceivedEvent(
                event, "OrderPlaced", "order", "4711", new byte[0], null, java.util.Map.of(), null, false);
        ReceivedEvent typeless = new ReceivedEvent(
                UUID.randomUUID(), "", "order", "4711", new byte[0], null, java.util.Map.of(), null, false);

        assertThat(consumer.deliver(placed)).isTrue();
        assertThat(consumer.deliver(placed)).isFalse();
        assertThatThrownBy(() -> consumer.deliver(typeless))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("no type");
        Thread.currentThread().interrupt();
        assertThat(consumer.deliver(placed)).isFalse();
        assertThat(Thread.interrupted()).as("the caller's interrupt").isTrue();

        assertThat(database.inboxIds()).containsExactly(event);
        assertThat(database.count("effect")).isOne();
    }

    @Test
    void after_the_last_attempt_the_event_goes_to_the_dead_letters_and_leaves_no_note() throws Exception { // hazard 41
        UUID next = UUID.randomUUID();
        harness.publish(event, next);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            effect(e);
            if (e.id().equals(event)) {
                throw new IllegalStateException("never");
            }
        }));
        await().until(() -> database.count("effect") == 1);

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(event, event, event, next);
        assertThat(consumer.deadLettered()).isOne();
        await().untilAsserted(() -> assertThat(harness.deadLetters()).containsExactly(event.toString()));
        assertThat(database.inboxIds()).containsExactly(next);
    }

    @Test
    void a_handler_that_is_interrupted_has_failed_an_attempt_and_does_not_end_the_consumer()
            throws Exception { // hazard 88
        UUID thrown = UUID.randomUUID();
        UUID wrapped = UUID.randomUUID();
        UUID last = UUID.randomUUID();
        harness.publish(event, thrown, wrapped, last);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            effect(e);
            if (e.id().equals(event)) {
                Thread.currentThread().interrupt();
            }
            if (e.id().equals(thrown)) {
                throw new InterruptedException("on purpose");
            }
            if (e.id().equals(wrapped)) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(new InterruptedException("on purpose"));
            }
        }));
        await().until(() -> database.count("effect") == 1);

        assertThat(received)
                .extracting(ReceivedEvent::id)
                .containsExactly(event, event, event, thrown, thrown, thrown, wrapped, wrapped, wrapped, last);
        assertThat(consumer.deadLettered()).isEqualTo(3);
        assertThat(consumer.state()).isEqualTo(State.CONSUMING);
    }

    @Test
    void an_interrupt_while_nothing_is_handled_does_not_end_the_consumer() throws Exception { // hazard 88
        AtomicReference<Thread> thread = new AtomicReference<>();
        UUID retried = UUID.randomUUID();
        UUID last = UUID.randomUUID();
        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
                    thread.set(Thread.currentThread());
                    effect(e);
                    if (e.id().equals(retried) && Collections.frequency(ids(), retried) == 1) {
                        throw new IllegalStateException("not yet");
                    }
                })
                .backoff(Duration.ofSeconds(1), Duration.ofSeconds(1)));
        harness.publish(event);
        await().until(() -> database.count("effect") == 1 && thread.get().getState() == Thread.State.TIMED_WAITING);

        thread.get().interrupt();
        harness.publish(retried);
        await().until(() -> consumer.retried() == 1 && thread.get().getState() == Thread.State.TIMED_WAITING);
        thread.get().interrupt();
        harness.publish(last);
        await().until(() -> database.count("effect") == 3);

        assertThat(ids()).containsExactly(event, retried, retried, last);
        assertThat(consumer.state()).isEqualTo(State.CONSUMING);
    }

    @Test
    void contention_spends_no_attempt_and_lets_nothing_overtake() throws Exception { // hazard 88
        UUID next = UUID.randomUUID();
        database.jdbc.execute("CREATE TABLE contended (id int PRIMARY KEY)");
        database.jdbc.execute("INSERT INTO contended VALUES (1)");
        harness.publish(event, next);
        IdempotentConsumer consumer;
        try (Connection other = database.pool.getConnection()) {
            other.setAutoCommit(false);
            other.createStatement().executeQuery("SELECT id FROM contended WHERE id = 1 FOR UPDATE");
            consumer = harness.start(harness.consumer(e -> {
                        received.add(e);
                        database.jdbc.queryForList("SELECT id FROM contended WHERE id = 1 FOR UPDATE NOWAIT");
                        database.effect(e.id());
                    })
                    .attempts(1));
            await().until(() -> received.size() >= 10);
            other.rollback();
        }
        await().until(() -> database.count("effect") == 2);

        assertThat(received.size()).isGreaterThan(10);
        assertThat(ids().subList(0, received.size() - 1)).containsOnly(event);
        assertThat(ids()).endsWith(next);
        assertThat(consumer.deadLettered()).isZero();
    }

    @Test
    void an_event_is_not_tried_again_once_the_broker_may_have_given_it_to_another() throws Exception { // hazard 90
        AtomicBoolean contended = new AtomicBoolean(true);
        harness.publish(event);
        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            received.add(e);
            if (contended.get()) {
                throw new CannotAcquireLockException("others are there");
            }
            database.effect(e.id());
        }));
        await().until(() -> received.size() >= 3);

        try (com.rabbitmq.client.Connection connection =
                broker.connectionFactory().newConnection()) {
            connection.createChannel().queueDelete(ConsumerHarness.QUEUE.name());
        }
        await().ignoreExceptions().until(() -> harness.ready() == 0 && consumer.state() == State.CONSUMING);
        int before = received.size();
        contended.set(false);
        UUID next = UUID.randomUUID();
        harness.publish(next);

        await().until(() -> database.count("effect") == 1);
        assertThat(ids().subList(before, received.size())).containsExactly(next);
    }

    @Test
    void a_connection_that_is_lost_under_the_handler_spends_no_attempt() throws Exception { // hazard 40
        harness.publish(event);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
                    effect(e);
                    if (received.size() < 4) {
                        database.jdbc.execute(
                                kind.isInnoDb()
                                        ? "KILL CONNECTION connection_id()"
                                        : "SELECT pg_terminate_backend(pg_backend_pid())");
                    }
                })
                .attempts(1));
        await().until(() -> database.count("effect") == 1);

        assertThat(received).hasSize(4);
        assertThat(consumer.deadLettered()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"inbox", "inbox_failure"})
    void an_inbox_that_refuses_spends_no_attempt_and_holds_no_delivery(String table) throws Exception { // hazard 40
        database.jdbc.execute("ALTER TABLE " + table + " RENAME TO gone");
        harness.publish(event);

        IdempotentConsumer consumer =
                harness.start(harness.consumer(this::effect).attempts(1).patience(Duration.ofMillis(50)));
        await().until(() -> consumer.state() == State.WAITING_FOR_DATABASE);
        await().untilAsserted(() -> assertThat(harness.ready()).isOne());
        database.jdbc.execute("ALTER TABLE gone RENAME TO " + table);

        await().until(() -> database.count("effect") == 1);
        assertThat(received).hasSize(1);
        assertThat(consumer.deadLettered()).isZero();
    }

    @Test
    void a_message_without_a_uuid_goes_to_the_dead_letters_without_being_handled() throws Exception {
        harness.publish(null, "", "1-1-1-1-1", "not a uuid", event.toString());

        IdempotentConsumer consumer = harness.start(harness.consumer(this::effect));
        await().until(() -> database.count("effect") == 1);

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(event);
        assertThat(consumer.deadLettered()).isEqualTo(4);
    }

    @Test
    void stopping_lets_the_event_in_hand_finish_and_gives_back_the_rest() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayFinish = new CountDownLatch(1);
        harness.publish(event, UUID.randomUUID(), UUID.randomUUID());
        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            inside.countDown();
            mayFinish.await();
            effect(e);
        }));
        inside.await();

        Thread closing = new Thread(consumer::close);
        closing.start();
        await().until(() -> closing.getState() == Thread.State.TIMED_WAITING);
        mayFinish.countDown();
        closing.join();

        assertThat(received).extracting(ReceivedEvent::id).containsExactly(event);
        assertThat(database.count("effect")).isOne();
        await().untilAsserted(() -> assertThat(harness.ready()).isEqualTo(2));
    }

    @Test
    void stopping_interrupts_a_handler_that_does_not_finish_and_its_event_is_delivered_again() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        harness.publish(event);
        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
                    effect(e);
                    inside.countDown();
                    new CountDownLatch(1).await();
                })
                .stopTimeout(Duration.ofMillis(50)));
        inside.await();

        consumer.close();

        await().until(() -> consumer.state() == State.STOPPED);
        assertThat(database.count("effect")).isZero();
        harness.start(harness.consumer(this::effect));
        await().until(() -> database.count("effect") == 1);
        assertThat(received.get(1).redelivered()).isTrue();
    }

    @Test
    void stopping_gives_back_an_event_that_waits_for_its_next_attempt() throws Exception {
        harness.publish(event);
        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
                    effect(e);
                    throw new IllegalStateException("no");
                })
                .backoff(Duration.ofHours(1), Duration.ofHours(1)));
        await().until(() -> received.size() == 1);

        consumer.close();

        assertThat(consumer.state()).isEqualTo(State.STOPPED);
        await().untilAsserted(() -> assertThat(harness.ready()).isOne());
        assertThat(harness.deadLetters()).isEmpty();
    }

    @Test
    void an_error_of_the_handler_is_a_failed_attempt_and_does_not_end_the_consumer() throws Exception {
        UUID endless = UUID.randomUUID();
        UUID last = UUID.randomUUID();
        harness.publish(event, endless, last);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            effect(e);
            if (e.id().equals(event)) {
                throw new LinkageError("on purpose");
            }
            if (e.id().equals(endless)) {
                recurse(0);
            }
        }));
        await().until(() -> consumer.deadLettered() == 2 && database.count("effect") == 1);

        assertThat(received)
                .extracting(ReceivedEvent::id)
                .containsExactly(event, event, event, endless, endless, endless, last);
        assertThat(consumer.state()).isEqualTo(State.CONSUMING);
        assertThat(database.inboxIds()).containsExactly(last);
        await().untilAsserted(() -> assertThat(harness.ready()).isZero());
    }

    @Test
    void an_error_of_the_virtual_machine_ends_the_consumer_and_the_event_is_delivered_again() throws Exception {
        harness.publish(event);

        IdempotentConsumer consumer = harness.start(harness.consumer(e -> {
            throw new OutOfMemoryError("on purpose");
        }));

        await().dontCatchUncaughtExceptions().until(() -> consumer.state() == State.FAILED);
        await().untilAsserted(() -> assertThat(harness.ready()).isOne());
    }

    @Test
    void a_queue_that_is_deleted_is_declared_again() throws Exception { // hazard 90
        IdempotentConsumer consumer = harness.start(harness.consumer(this::effect));
        await().until(() -> consumer.state() == State.CONSUMING);

        try (var connection = broker.connectionFactory().newConnection();
                var channel = connection.createChannel()) {
            channel.queueDelete(ConsumerHarness.QUEUE.name());
        }

        await().ignoreExceptions().until(() -> {
            harness.publish(event);
            return database.count("effect") == 1;
        });
    }

    @Test
    void each_attempt_has_a_span_in_the_trace_of_the_writer() {
        InMemorySpanExporter exported = InMemorySpanExporter.create();
        GlobalOpenTelemetry.resetForTest();
        GlobalOpenTelemetry.set(OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(exported))
                        .build())
                .build());
        try {
            IdempotentConsumer one = harness.consumer(e -> {
                        throw new Exception("not yet");
                    })
                    .build();
            IdempotentConsumer all =
                    harness.consumer(this::effect).batchHandler(events -> {}).build();
            ReceivedEvent placed = new ReceivedEvent(
                    event,
                    "OrderPlaced",
                    "order",
                    "4711",
                    new byte[0],
                    null,
                    java.util.Map.of("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                    null,
                    false);

            assertThatThrownBy(() -> one.deliver(placed)).hasRootCauseMessage("not yet");
            assertThat(all.deliver(placed)).isTrue();

            assertThat(exported.getFinishedSpanItems())
                    .extracting(
                            SpanData::getName,
                            span -> span.getStatus().getStatusCode(),
                            span -> span.getLinks().get(0).getSpanContext().getTraceId())
                    .containsExactly(
                            tuple("process billing.orders", StatusCode.ERROR, "0af7651916cd43dd8448eb211c80319c"),
                            tuple("process billing.orders", StatusCode.UNSET, "0af7651916cd43dd8448eb211c80319c"));
        } finally {
            GlobalOpenTelemetry.resetForTest();
        }
    }

    @Test
    void an_impossible_description_is_refused() {
        assertThatThrownBy(() -> harness.consumer(this::effect).prefetch(0).build())
                .hasMessageContaining("prefetch of 0");
        assertThatThrownBy(() -> harness.consumer(this::effect)
                        .concurrency(0)
                        .prefetch(10)
                        .batch(11)
                        .prefetchBytes(0)
                        .attempts(0)
                        .build())
                .hasMessage("The consumer billing cannot be built: it cannot have a concurrency of 0: use 1 to 1000; it"
                        + " cannot handle batches of 11 with a prefetch of 10: use a larger prefetch, or leave it out;"
                        + " it cannot take 0 bytes ahead: use at least 1; it cannot have 0 attempts: use at least 1");
        assertThatThrownBy(() -> harness.consumer(this::effect).attempts(0).build())
                .hasMessageContaining("0 attempts");
        assertThatThrownBy(() -> harness.consumer(this::effect).name("").build())
                .hasMessageContaining("needs a name");
        assertThatThrownBy(() -> harness.consumer(this::effect).backoff(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .hasMessageContaining("PT2S to PT1S");
        IdempotentConsumer closed = harness.consumer(this::effect).build();
        closed.close();
        assertThatThrownBy(closed::start)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("STOPPED");
    }

    private static int recurse(int depth) {
        return 1 + recurse(depth + 1);
    }

    private List<UUID> ids() {
        return received.stream().map(ReceivedEvent::id).toList();
    }

    private void effect(ReceivedEvent e) {
        received.add(e);
        database.effect(e.id());
    }
}
