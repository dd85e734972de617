package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.testing.FailureRows;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * Runs the commands of {@code docs/operations.md} and {@code docs/troubleshooting.md}, as they stand there, where each
 * of them has something to do. {@link DocumentedCommandsTest} compares all others with the program.
 */
@Tag("server")
@Tag("full")
class OperationsPageTest {

    private static final String EVENT = "123e4567-e89b-12d3-a456-426614174000";

    private static final String DEAD_LETTERS = "billing.orders.dead-letter";

    /** An indented line, or the first column of a table. */
    private static final Pattern COMMAND =
            Pattern.compile("(?m)^(?: {4}(?:outbox-relay )?|\\| `)(%s)(?=[ `\\n])([^`\\n]*)"
                    .formatted(String.join(
                            "|", Main.commandLine(Map.of()).getSubcommands().keySet())));

    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    /** Commands that name what they do, and leave it to the reader which events. */
    private static final List<String> OF_WHICH_EVENTS =
            List.of("failures retry", "failures discard --reason TEXT", "replay --reason TEXT");

    private static final Map<String, String> PLACEHOLDERS = Map.of(
            "EVENT_ID", EVENT,
            "TYPE", "Order",
            "ID", "4711",
            "TEXT", "a test",
            "REASON", "unroutable");

    private static OutboxDatabase database;
    private static OutboxStore outbox;
    private static OwnedLane lane;
    private static TestVirtualHost host;
    private static Connection connection;

    private final StringWriter printed = new StringWriter();

    @BeforeAll
    static void connect() throws Exception {
        database = OutboxDatabase.withLanes(1);
        outbox = database.retainingOutbox();
        lane = outbox.acquire("relay", 1, Duration.ofHours(1)).get(0);
        host = Servers.rabbitmq().newVirtualHost();
        connection = host.connectionFactory().newConnection();
        try (Channel channel = connection.createChannel()) {
            channel.exchangeDeclare("events", "topic", true);
            for (String queue : List.of("orders", "billing.rebuild", DEAD_LETTERS)) {
                channel.queueDeclare(queue, true, false, false, null);
            }
            channel.queueBind("orders", "events", "#");
            channel.queueDeclare("billing.orders.history", true, false, false, null);
            channel.exchangeDeclare("billing.orders.history:events", "topic", true);
            channel.queueBind("billing.orders.history", "billing.orders.history:events", "#");
            channel.exchangeDeclare("billing.orders.history.end", "fanout", true);
            channel.queueBind("billing.orders.history", "billing.orders.history.end", "");
            Map<String, Object> rejected =
                    Map.of("x-dead-letter-exchange", "", "x-dead-letter-routing-key", DEAD_LETTERS);
            channel.queueDeclare("billing.orders", true, false, false, rejected);
        }
    }

    @AfterAll
    static void drop() {
        connection.abort(2_000);
        host.close();
        database.close();
    }

    @BeforeEach
    void make_something_for_every_command() throws IOException {
        database.execute("""
                TRUNCATE outbox, outbox_failure, outbox_published, outbox_pause, outbox_audit, outbox_subscription, \
                inbox,\
                 inbox_failure\
                 RESTART IDENTITY""");
        new FailureRows(database).put("4711", "parked");
        database.execute("UPDATE outbox_failure SET event_id = '" + EVENT + "'");
        new FailureRows(database).reason("nacked").put("4712", "retrying");
        new FailureRows(database).aggregateType("Cart").age(Duration.ofDays(8)).put("1", "parked");
        database.write("4713");
        outbox.settle(
                lane,
                OutboxDatabase.life(outbox, lane),
                outbox.claim(new Claim(lane, 0, 1_000, 1_000_000, List.of()))
                        .orElseThrow()
                        .events());
        database.execute(
                "UPDATE outbox_published SET event_id = '" + EVENT + "', published_at = '2026-01-31T06:00:00Z'");
        database.execute("""
                INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                    headers, queue, state, first_failed_at, failed_at, reason)
                VALUES ('billing', '%s', 'Order', '4711', 'OrderPlaced', '', '{}', 'billing.orders', 'parked', now(),
                    now(), 'handler')""".formatted(EVENT));
        deadLetter();
    }

    private static void deadLetter() throws IOException {
        Channel channel = connection.createChannel();
        channel.queuePurge(DEAD_LETTERS);
        channel.queuePurge("billing.orders");
        channel.basicPublish("", "billing.orders", new BasicProperties(), new byte[0]);
        GetResponse message = await().until(() -> channel.basicGet("billing.orders", false), Objects::nonNull);
        channel.basicReject(message.getEnvelope().getDeliveryTag(), false);
        await().until(() -> channel.messageCount(DEAD_LETTERS) == 1);
        channel.abort();
    }

    static Stream<String> commands() {
        return Stream.of("operations.md", "troubleshooting.md").flatMap(OperationsPageTest::commandsOf);
    }

    private static Stream<String> commandsOf(String page) {
        try {
            return COMMAND.matcher(Files.readString(Path.of("../docs", page)))
                    .results()
                    .map(found -> (found.group(1) + found.group(2)).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void the_pages_have_such_commands() {
        assertThat(commands()).hasSizeGreaterThan(20).containsAll(OF_WHICH_EVENTS);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void the_command_succeeds_and_finds_what_it_is_for(String command) {
        if (command.equals("resume")) {
            assertThat(execute("pause --reason TEXT")).isZero();
        }

        assertThat(execute(OF_WHICH_EVENTS.contains(command) ? command + " --all" : command))
                .as(printed.toString())
                .isZero();

        assertThat(printed.toString())
                .isNotBlank()
                .doesNotContain(
                        "no matching event", "no retained event", "no failure", "has no undelivered", "Nothing to");
    }

    private int execute(String command) {
        CommandLine program = Main.commandLine(Map.of(
                "OUTBOX_RELAY_BROKER_URI", host.amqpUri(),
                "OUTBOX_RELAY_SOURCES_ORDERS_URL", database.database().jdbcUrl(),
                "OUTBOX_RELAY_SOURCES_ORDERS_USER", database.database().user(),
                "OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", database.database().password()));
        program.setOut(new PrintWriter(printed, true));
        program.setErr(new PrintWriter(printed, true));
        return program.execute(WORD.matcher(command)
                .results()
                .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
                .map(word -> PLACEHOLDERS.getOrDefault(word, word))
                .toArray(String[]::new));
    }
}
