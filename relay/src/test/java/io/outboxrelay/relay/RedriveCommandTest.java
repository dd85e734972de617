package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command {@code inbox redrive}, with a real broker whose queues are declared as consumers declare them. */
@Tag("server")
class RedriveCommandTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String QUEUE = "billing.orders";
    private static final String DEAD = "billing.orders.dead-letter";

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private TestVirtualHost host;
    private Connection connection;
    private Channel channel;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        connection = host.connectionFactory().newConnection();
        channel = connection.createChannel();
        channel.confirmSelect();
        channel.exchangeDeclare(DEAD, "fanout", true);
        channel.queueDeclare(DEAD, true, false, false, Map.of("x-queue-type", "quorum"));
        channel.queueBind(DEAD, DEAD, "");
        declare(QUEUE, Map.of());
        environment.put("OUTBOX_RELAY_BROKER_URI", host.amqpUri());
    }

    @AfterEach
    void disconnect() {
        connection.abort(2_000);
        host.close();
    }

    @Test
    void messages_go_back_in_order_as_they_were_sent() throws Exception {
        BasicProperties sent = new BasicProperties.Builder()
                .messageId("id-1")
                .type("OrderPlaced")
                .appId("orders")
                .contentType("application/json")
                .deliveryMode(2)
                .timestamp(new Date(1_700_000_000_000L))
                .headers(Map.of("aggregate_id", "4711", "CC", List.of("elsewhere")))
                .build();
        channel.queueDeclare("elsewhere", true, false, false, null);
        channel.basicPublish("", QUEUE, sent, "first".getBytes(StandardCharsets.UTF_8));
        publish(QUEUE, 1, 50);
        channel.queuePurge("elsewhere");
        giveUp(QUEUE, 50);

        assertThat(redrive("--dry-run")).as(err.toString()).isZero();
        assertThat(out.toString()).isEqualTo("queue " + DEAD + ": 50 messages would be moved\n");
        assertThat(channel.messageCount(DEAD)).isEqualTo(50);

        assertThat(redrive()).as(err.toString()).isZero();
        assertThat(out.toString()).isEqualTo("queue " + DEAD + ": moved 50 messages (50 to billing.orders)\n");
        List<GetResponse> received = received(QUEUE, 50);
        BasicProperties back = received.get(0).getProps();
        assertThat(back.getHeaders().keySet())
                .as("and what the broker adds for this delivery")
                .contains("aggregate_id")
                .isSubsetOf("aggregate_id", "x-delivery-count", "x-acquired-count");
        assertThat(back.builder().headers(null).build())
                .isEqualTo(sent.builder().headers(null).build());
        assertThat(received.get(0).getBody()).asString(StandardCharsets.UTF_8).isEqualTo("first");
        assertThat(numbers(received.subList(1, 50)))
                .isEqualTo(IntStream.range(1, 50).boxed().toList());
        assertThat(channel.messageCount(DEAD)).isZero();
        assertThat(channel.messageCount("elsewhere")).isZero();
        assertThat(redrive()).isZero();
        assertThat(out.toString()).isEqualTo("queue " + DEAD + ": no messages\n");
    }

    @Test
    void each_message_goes_to_the_queue_in_which_it_died_first() throws Exception {
        declare("crm.orders", Map.of());
        channel.exchangeDeclare("morgue", "fanout", true);
        channel.queueDeclare("morgue", true, false, false, null);
        channel.queueBind("morgue", "morgue", "");
        channel.queueDelete(DEAD);
        channel.queueDeclare(DEAD, true, false, false, Map.of("x-dead-letter-exchange", "morgue"));
        channel.queueBind(DEAD, DEAD, "");
        publish(QUEUE, 0, 1);
        publish("crm.orders", 1, 2);
        giveUp(QUEUE, 1);
        giveUp("crm.orders", 1);
        awaitMessages(DEAD, 2);
        giveUp(DEAD, 2);
        awaitMessages("morgue", 2);

        assertThat(execute("inbox", "redrive", "--queue", "morgue")).isZero();

        assertThat(out.toString()).contains("moved 2 messages (1 to billing.orders, 1 to crm.orders)");
        assertThat(numbers(received(QUEUE, 1))).containsExactly(0);
        assertThat(numbers(received("crm.orders", 1))).containsExactly(1);
    }

    @Test
    void the_first_message_that_cannot_be_published_stops_the_rest_which_keep_their_order() throws Exception {
        declare("gone", Map.of());
        publish(QUEUE, 0, 1);
        giveUp(QUEUE, 1);
        publish("gone", 1, 2);
        giveUp("gone", 1);
        awaitMessages(DEAD, 2);
        publish(QUEUE, 2, 3);
        giveUp(QUEUE, 1);
        awaitMessages(DEAD, 3);
        channel.queueDelete("gone");

        assertThat(redrive()).isEqualTo(1);
        assertThat(out.toString())
                .contains("moved 1 message (1 to billing.orders), then stopped: message 1 (OrderPlaced): there is no"
                        + " queue 'gone' (312 NO_ROUTE). Fix the cause, then run the command again.");
        assertThat(numbers(received(QUEUE, 1))).containsExactly(0);
        assertThat(redrive()).isEqualTo(1);
        assertThat(out.toString()).contains("moved 0 messages, then stopped: message 1 ");
        declare("gone", Map.of());
        assertThat(redrive()).as(out.toString()).isZero();
        assertThat(out.toString()).contains("moved 2 messages (1 to billing.orders, 1 to gone)");
    }

    @Test
    void a_full_queue_and_a_message_that_never_died_stop_it() throws Exception {
        channel.queueDelete(QUEUE);
        declare(QUEUE, Map.of("x-max-length", 1));
        publish(QUEUE, 0, 1);
        giveUp(QUEUE, 1);
        publish(QUEUE, 1, 2);
        giveUp(QUEUE, 1);
        channel.basicPublish("", DEAD, properties(2), new byte[0]);
        awaitMessages(DEAD, 3);
        publish(QUEUE, 7, 8);

        assertThat(redrive()).isEqualTo(1);
        assertThat(out.toString())
                .contains("then stopped: message ", "the queue 'billing.orders' did not take it: it is full");
        channel.queuePurge(QUEUE);
        channel.queueDelete(QUEUE);
        declare(QUEUE, Map.of());
        assertThat(redrive()).isEqualTo(1);
        assertThat(out.toString())
                .contains("then stopped: message 2 (OrderPlaced): it does not say in which queue it died first");
    }

    @Test
    void only_so_many_are_moved_and_the_next_one_is_not_touched() throws Exception {
        publish(QUEUE, 0, 5);
        giveUp(QUEUE, 5);

        assertThat(redrive("--limit", "2")).isZero();

        assertThat(out.toString()).contains("moved 2 messages");
        assertThat(numbers(received(QUEUE, 2))).containsExactly(0, 1);
        List<GetResponse> rest = received(DEAD, 3);
        assertThat(numbers(rest)).containsExactly(2, 3, 4);
        assertThat(rest).noneMatch(message -> message.getEnvelope().isRedeliver());
    }

    @Test
    void a_message_that_fails_again_does_not_come_round_for_ever() throws Exception {
        publish(QUEUE, 0, 20);
        giveUp(QUEUE, 20);
        Channel consumer = connection.createChannel();
        consumer.basicConsume(
                QUEUE,
                false,
                (tag, delivery) -> consumer.basicReject(delivery.getEnvelope().getDeliveryTag(), false),
                tag -> {});

        assertThat(redrive()).isZero();

        assertThat(out.toString()).contains("moved 20 messages");
        awaitMessages(DEAD, 20);
    }

    @Test
    void a_queue_with_another_reader_keeps_no_order_and_is_refused() throws Exception {
        publish(QUEUE, 0, 1);
        giveUp(QUEUE, 1);
        Channel other = connection.createChannel();
        other.basicQos(1);
        other.basicConsume(DEAD, false, (tag, delivery) -> {}, tag -> {});

        channel.basicPublish("", DEAD, properties(1), new byte[0]);
        awaitMessages(DEAD, 1);

        assertThat(redrive()).isEqualTo(1);
        assertThat(err.toString())
                .contains("outbox-relay: the queue '" + DEAD + "' on ", " must have one reader", "End the others.");
    }

    @Test
    void a_queue_that_does_not_exist_and_a_broker_that_does_not_answer_are_named() {
        assertThat(execute("inbox", "redrive", "--queue", "nowhere")).isEqualTo(1);
        assertThat(err.toString()).contains("outbox-relay: the queue 'nowhere' on ", "404 NOT_FOUND");
        environment.put("OUTBOX_RELAY_BROKER_URI", "amqp://guest:hunter2@127.0.0.1:1");
        assertThat(redrive()).isEqualTo(1);
        assertThat(err.toString())
                .contains("no connection to the broker 127.0.0.1:1")
                .doesNotContain("hunter2");
        environment.remove("OUTBOX_RELAY_BROKER_URI");
        assertThat(redrive()).isEqualTo(2);
        assertThat(err.toString()).contains("broker.uri (not given) is missing").doesNotContain("sources");
    }

    @Test
    void the_log_and_the_audit_of_a_named_database_say_who_did_it_and_why() throws Exception {
        publish(QUEUE, 0, 2);
        giveUp(QUEUE, 2);
        try (OutboxDatabase database = OutboxDatabase.withLanes(1);
                LogLines log = new LogLines()) {
            environment.put(
                    "OUTBOX_RELAY_INBOXES_BILLING_URL", database.database().jdbcUrl());
            environment.put(
                    "OUTBOX_RELAY_INBOXES_BILLING_USER", database.database().user());
            environment.put(
                    "OUTBOX_RELAY_INBOXES_BILLING_PASSWORD", database.database().password());

            assertThat(redrive("--limit", "1", "--who", "ann", "--reason", "crm is back"))
                    .isZero();
            assertThat(log.lines("inbox redrive: queue " + DEAD + ", 1 message, by ann: crm is back"))
                    .hasSize(1);
            assertThat(database.number("SELECT count(*) FROM outbox_audit")).isZero();

            assertThat(redrive("--source", "billing", "--who", "ann")).isZero();
            assertThat(database.column("SELECT concat_ws('|', who, action, what, events) FROM outbox_audit"))
                    .containsExactly("ann|inbox redrive|queue " + DEAD + "|1");
        }
    }

    @Test
    void given_the_command_is_killed_then_nothing_is_lost_and_the_order_holds(@TempDir Path folder) throws Exception {
        int messages = 1_000;
        publish(QUEUE, 0, messages);
        giveUp(QUEUE, messages);
        try (JavaProcess redrive = JavaProcess.startClass(
                Main.class, List.of("inbox", "redrive", "--queue", DEAD), environment, folder.resolve("log"))) {
            await().atMost(PATIENCE).until(() -> channel.messageCount(QUEUE) > 50);
            redrive.kill();
            assertThat(redrive.output()).doesNotContain("moved");
        }
        await().atMost(PATIENCE).until(() -> channel.consumerCount(DEAD) == 0);

        assertThat(redrive()).as(out.toString() + err).isZero();

        List<Integer> numbers = numbers(received(QUEUE, messages));
        assertThat(numbers.stream().distinct().toList())
                .isEqualTo(IntStream.range(0, messages).boxed().toList());
        assertThat(numbers.size()).as("one may be there twice").isBetween(messages, messages + 1);
        assertThat(channel.messageCount(DEAD)).isZero();
    }

    private void declare(String queue, Map<String, Object> arguments) throws IOException {
        Map<String, Object> all = new HashMap<>(Map.of(
                "x-queue-type", "quorum",
                "x-dead-letter-exchange", DEAD,
                "x-dead-letter-strategy", "at-least-once",
                "x-overflow", "reject-publish"));
        all.putAll(arguments);
        channel.queueDeclare(queue, true, false, false, all);
    }

    private void publish(String queue, int from, int to) throws Exception {
        for (int number = from; number < to; number++) {
            channel.basicPublish(
                    "", queue, properties(number), String.valueOf(number).getBytes(StandardCharsets.UTF_8));
        }
        channel.waitForConfirms(PATIENCE.toMillis());
    }

    private static BasicProperties properties(int number) {
        return new BasicProperties.Builder()
                .messageId(String.valueOf(number))
                .type("OrderPlaced")
                .deliveryMode(2)
                .build();
    }

    /** As a consumer gives up events that it cannot handle. */
    private void giveUp(String queue, int messages) throws IOException {
        long dead = queue.equals(DEAD) ? 0 : channel.messageCount(DEAD);
        for (int given = 0; given < messages; given++) {
            GetResponse message = channel.basicGet(queue, false);
            if (message == null) { // Awaitility would ask for each message after 100 ms
                message = await().atMost(PATIENCE).until(() -> channel.basicGet(queue, false), Objects::nonNull);
            }
            channel.basicReject(message.getEnvelope().getDeliveryTag(), false);
        }
        if (!queue.equals(DEAD)) {
            awaitMessages(DEAD, dead + messages);
        }
    }

    private void awaitMessages(String queue, long messages) {
        await().atMost(PATIENCE).until(() -> channel.messageCount(queue) == messages);
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

    private static List<Integer> numbers(List<GetResponse> messages) {
        return messages.stream()
                .map(message -> Integer.valueOf(message.getProps().getMessageId()))
                .toList();
    }

    private int redrive(String... options) {
        List<String> all = new ArrayList<>(List.of("inbox", "redrive", "--queue", DEAD));
        all.addAll(List.of(options));
        return execute(all.toArray(String[]::new));
    }

    private int execute(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine command = Main.commandLine(environment);
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        return command.execute(arguments);
    }
}
