package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DeliverCallback;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.relay.testing.Wire;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a database can do to a relay that is running: in each mood nothing is lost, nothing is out of order, the other
 * source goes on, readiness says which source it is and why, the log does not fill, and it ends by itself.
 */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class DatabaseMoodsTest {

    @Parameter
    DatabaseKind kind;

    private static final int ORDERS = 20;
    private static final int EVENTS_PER_ORDER = 15;
    private static final int MOST_COMPLAINTS = 20;

    private static PrivateServer<?> server;

    /** What arrived, by source and order. */
    private final Map<String, List<Integer>> received = new ConcurrentHashMap<>();

    private final List<AutoCloseable> open = new ArrayList<>();
    private OutboxDatabase orders;
    private OutboxDatabase invoices;
    private Wire wire;
    private SourceHarness relay;
    private SourceHarness other;
    private int written;
    private int invoicesWritten;

    @BeforeParameterizedClassInvocation
    static void start_a_database(DatabaseKind kind) {
        server = kind.startPrivate();
    }

    @AfterParameterizedClassInvocation
    static void stop_the_database() {
        server.close();
    }

    @BeforeEach
    void start_two_sources() throws Exception {
        orders = keep(OutboxDatabase.installedIn(server.newDatabase(), 2));
        invoices = keep(OutboxDatabase.withLanes(2));
        TestVirtualHost host = keep(Servers.rabbitmq().newVirtualHost());
        Connection connection = host.connectionFactory().newConnection();
        keep(() -> connection.abort(2_000));
        consume(connection.createChannel());
        TestDatabase database = orders.database();
        URI uri = URI.create(database.jdbcUrl().substring("jdbc:".length()));
        wire = keep(new Wire(uri.getHost(), uri.getPort()));
        relay = keep(SourceHarness.start(
                "orders",
                address() + uri.getPath() + (uri.getQuery() == null ? "" : "?" + uri.getQuery()),
                database.user(),
                database.password(),
                host.amqpUri(),
                Topology.DECLARE));
        other = keep(SourceHarness.start(
                "invoices",
                invoices.database().jdbcUrl(),
                invoices.database().user(),
                invoices.database().password(),
                host.amqpUri(),
                Topology.DECLARE));
        relay.awaitReady();
        other.awaitReady();
        writeOrders();
        awaitOrders();
    }

    @AfterEach
    void stop_everything() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    // hazard 35
    @Test
    void a_database_that_is_away_is_asked_for_again_and_again_and_found() {
        writeOrders();
        server.stop();
        relay.awaitTrouble("the database " + address());
        int before = wire.connects();

        await().atMost(Duration.ofMinutes(2)).until(() -> wire.connects() >= before + 12);

        assertTheOtherGoesOn();
        server.start();
        assertOrdersArriveAndAllIsWellAgain();
    }

    // hazards 49, 74
    @Test
    void a_database_that_fails_over_loses_nothing_and_is_not_written_to_until_it_can_be() throws Exception {
        writeOrders();
        readOnly(true);
        try {
            wire.drop();
            relay.awaitTrouble("the database " + address(), "the server is read-only");
            assertTheOtherGoesOn();
        } finally {
            readOnly(false);
        }
        wire.drop();

        assertOrdersArriveAndAllIsWellAgain();
        assertThat(received.values().stream().mapToInt(List::size).sum())
                .as("what was confirmed is not published again and again while it cannot be deleted")
                .isLessThan(3 * (written + invoicesWritten));
    }

    // hazard 50
    @Test
    void a_slow_database_makes_its_own_source_slow_and_nothing_else() {
        wire.delayAnswers(Duration.ofMillis(60).toNanos());
        writeOrders();

        assertTheOtherGoesOn();

        awaitOrders();
        assertThat(relay.source.trouble()).isEmpty();
        wire.delayAnswers(0);
        assertOrdersArriveAndAllIsWellAgain();
    }

    // hazard 50
    @Test
    void deleting_that_takes_longer_than_a_statement_may_is_given_up_and_tried_until_it_works() {
        assumeTrue(kind != DatabaseKind.MYSQL, "MySQL ends no DELETE, and a relay that gave it up cannot either");
        whenDeletingFromTheOutbox(mariaDb() ? "DO sleep(30)" : "PERFORM pg_sleep(30)");
        writeOrders();
        relay.awaitTrouble(
                "do not move: ",
                mariaDb() ? "max_statement_time exceeded" : "ERROR: canceling statement due to statement timeout");
        assertTheOtherGoesOn();

        orders.execute(mariaDb() ? "DROP TRIGGER mood" : "DROP TRIGGER mood ON outbox");

        assertOrdersArriveAndAllIsWellAgain();
    }

    // hazard 51
    @Test
    void a_disk_that_is_full_when_events_are_deleted_holds_the_lane_and_publishes_nothing_twice_or_out_of_order() {
        whenDeletingFromTheOutbox(
                mariaDb()
                        ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'could not extend file'"
                        : "RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file'");
        writeOrders();
        relay.awaitTrouble("do not move: ", "could not extend file");
        assertTheOtherGoesOn();
        assertThat(relay.source.trouble().orElseThrow()).contains("could not extend file");

        orders.execute(mariaDb() ? "DROP TRIGGER mood" : "DROP TRIGGER mood ON outbox");

        assertOrdersArriveAndAllIsWellAgain();
        assertThat(received.values().stream().mapToInt(List::size).sum())
                .as("published once, although deleting failed: the relay remembers what was confirmed")
                .isEqualTo(written + invoicesWritten);
    }

    // hazard 52
    @Test
    void a_migration_that_locks_the_outbox_is_waited_for_and_named_as_a_lock() {
        try (OutboxDatabase.Transaction migration = orders.begin()) {
            migration.execute(mariaDb() ? "LOCK TABLES outbox WRITE" : "LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE");
            relay.awaitTrouble(
                    "do not move: ",
                    mariaDb() ? "Lock wait timeout exceeded" : "ERROR: canceling statement due to lock timeout");
            assertTheOtherGoesOn();
            assertThat(orders.number(
                            "SELECT count(*) FROM outbox_lane WHERE owner LIKE 'relay#%' AND lease_until > now()"))
                    .as("leases are renewed meanwhile")
                    .isEqualTo(2);
            migration.commit();
        }
        writeOrders();

        assertOrdersArriveAndAllIsWellAgain();
    }

    /** For the sessions that begin from now on. */
    private void readOnly(boolean on) {
        if (mariaDb()) {
            orders.execute("SET GLOBAL " + (kind == DatabaseKind.MYSQL ? "transaction" : "tx") + "_read_only = " + on);
            return;
        }
        try (OutboxDatabase.Transaction transaction = orders.begin()) {
            transaction.execute("SET TRANSACTION READ WRITE");
            transaction.execute("ALTER DATABASE " + orders.database().name()
                    + (on ? " SET default_transaction_read_only = on" : " RESET default_transaction_read_only"));
            transaction.commit();
        }
    }

    private boolean mariaDb() {
        return kind.isInnoDb();
    }

    /** Where the relay finds the database: behind the wire. */
    private String address() {
        return kind.scheme() + "//127.0.0.1:" + wire.port();
    }

    private void whenDeletingFromTheOutbox(String statement) {
        if (mariaDb()) {
            orders.execute("CREATE TRIGGER mood BEFORE DELETE ON outbox FOR EACH ROW " + statement);
            return;
        }
        orders.execute("CREATE FUNCTION mood() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + statement
                + "; RETURN NULL; END $$");
        orders.execute("CREATE TRIGGER mood BEFORE DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION mood()");
    }

    private void writeOrders() {
        int next = written / ORDERS;
        for (int n = next; n < next + EVENTS_PER_ORDER; n++) {
            try (OutboxDatabase.Transaction transaction = orders.begin()) {
                for (int order = 0; order < ORDERS; order++) {
                    transaction.write(order, String.valueOf(n).getBytes(StandardCharsets.UTF_8));
                    written++;
                }
                transaction.commit();
            }
        }
    }

    /** Events that are written there during the first source's fault arrive, while the fault lasts. */
    private void assertTheOtherGoesOn() {
        for (int n = 0; n < 50; n++) {
            invoices.write("invoice", String.valueOf(invoicesWritten).getBytes(StandardCharsets.UTF_8));
            invoicesWritten++;
        }
        await().atMost(PATIENCE).until(() -> inOrder("invoices invoice").equals(numbersUpTo(invoicesWritten)));
        assertThat(other.source.trouble()).isEmpty();
    }

    private void assertOrdersArriveAndAllIsWellAgain() {
        awaitOrders();
        relay.awaitReady();
        await().atMost(PATIENCE).until(() -> orders.number("SELECT count(*) FROM outbox") == 0);
        assertThat(orders.number("SELECT count(*) FROM outbox_failure")).isZero();
        assertThat(relay.log.complaints("Source orders")).hasSizeLessThan(MOST_COMPLAINTS);
        assertThat(relay.log.complaints("Source invoices")).isEmpty();
    }

    private void awaitOrders() {
        List<Integer> all = numbersUpTo(written / ORDERS);
        await().atMost(PATIENCE).untilAsserted(() -> {
            for (int order = 0; order < ORDERS; order++) {
                assertThat(inOrder("orders " + order))
                        .as("first deliveries of order " + order)
                        .isEqualTo(all);
            }
        });
    }

    /** First deliveries. */
    private List<Integer> inOrder(String order) {
        return received.getOrDefault(order, List.of()).stream().distinct().toList();
    }

    private static List<Integer> numbersUpTo(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    private void consume(Channel channel) throws Exception {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("all", true, false, false, Map.of());
        channel.queueBind("all", "events", "#");
        DeliverCallback note = (tag, message) -> received.computeIfAbsent(
                        message.getProperties().getAppId() + " "
                                + message.getProperties().getHeaders().get("aggregate_id"),
                        order -> new CopyOnWriteArrayList<>())
                .add(Integer.valueOf(new String(message.getBody(), StandardCharsets.UTF_8)));
        channel.basicConsume("all", true, note, tag -> {});
    }

    private <T extends AutoCloseable> T keep(T resource) {
        open.add(resource);
        return resource;
    }
}
