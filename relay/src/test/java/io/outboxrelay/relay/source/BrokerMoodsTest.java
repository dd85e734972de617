package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.relay.rabbitmq.BrokerCheck;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.AmqpWire;
import io.outboxrelay.relay.testing.AmqpWire.Change;
import io.outboxrelay.relay.testing.AmqpWire.Frame;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Changes that an administrator can make to a broker while a relay runs. The log and readiness report each, with the
 * source, the broker and the reason. The relay recovers from each without help, and no attempt is spent that is not the
 * event's own fault.
 */
@Tag("server")
class BrokerMoodsTest {

    private static final int MOST_COMPLAINTS = 3;

    private static PrivateRabbitMq server;

    /** The relay's own user, whom the test may spoil; the test has another. */
    private final String user = "relay-" + UUID.randomUUID();

    private OutboxDatabase database;
    private TestVirtualHost host;
    private @Nullable Connection connection;
    private Channel channel;
    private SourceHarness relay;

    @BeforeAll
    static void start_a_broker() {
        server = Servers.startPrivateRabbitMq();
    }

    @AfterAll
    static void stop_the_broker() {
        server.close();
    }

    @BeforeEach
    void make_a_queue() throws Exception {
        database = OutboxDatabase.withLanes(2);
        host = server.newVirtualHost();
        connect();
        queue("orders", "order.#", Map.of());
    }

    private void startRelay(String uri) {
        relay = SourceHarness.start(
                "orders",
                database.database().jdbcUrl(),
                database.database().user(),
                database.database().password(),
                uri,
                Topology.CHECK);
        relay.awaitReady();
        write("first");
        assertThat(received("orders", 1)).containsExactly("first");
    }

    private void startRelayAsItsOwnUser() {
        administer(addUser("right"), permit());
        startRelay(uriOfItsOwnUser());
    }

    private String uriOfItsOwnUser() {
        return "amqp://%s:right@%s:%d/%s".formatted(user, host.host(), host.port(), host.name());
    }

    @AfterEach
    void stop_the_relay() {
        relay.close();
        if (connection != null) {
            connection.abort(2_000);
        }
        host.close();
        database.close();
    }

    // hazard 45
    @Test
    void a_user_that_is_deleted_and_made_again_stops_everything_for_so_long_and_spends_no_attempt() throws Exception {
        startRelayAsItsOwnUser();
        administer(deleteUser());
        relay.awaitTrouble("no connection to the broker " + address(), "ACCESS_REFUSED");
        write("a");

        administer(addUser("right"), permit());

        assertThat(received("orders", 1)).containsExactly("a");
        relay.awaitReady();
        assertNothingWasSpent();
    }

    // hazard 45
    @Test
    void a_password_that_is_changed_and_changed_back_stops_everything_for_so_long_and_spends_no_attempt()
            throws Exception {
        startRelayAsItsOwnUser();
        administer(changePassword("wrong"), closeConnections());
        relay.awaitTrouble("no connection to the broker " + address(), "ACCESS_REFUSED");
        write("a");

        administer(changePassword("right"));

        assertThat(received("orders", 1)).containsExactly("a");
        relay.awaitReady();
        assertNothingWasSpent();
    }

    // hazard 45
    @Test
    void a_right_that_is_taken_away_and_given_back_parks_nothing() throws Exception {
        startRelayAsItsOwnUser();
        administer(permit(user, "^$"), closeConnections());
        write("a");
        write("b");
        await().atMost(PATIENCE)
                .until(() -> database.column("SELECT DISTINCT state || ' ' || reason FROM outbox_failure")
                        .equals(List.of("retrying forbidden")));
        assertThat(database.value("SELECT min(detail) FROM outbox_failure"))
                .contains("ACCESS_REFUSED", "; exchange 'events', routing key 'order.");
        assertThat(BrokerCheck.of(SourceHarness.broker(uriOfItsOwnUser(), Topology.CHECK))
                        .faults())
                .singleElement()
                .asString()
                .contains("the user may not publish to the exchange 'events'", "ACCESS_REFUSED");

        administer(permit());

        assertThat(received("orders", 2)).containsExactlyInAnyOrder("a", "b");
        await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox_failure") == 0);
        relay.awaitReady();
    }

    // hazard 46
    @Test
    void a_virtual_host_that_is_deleted_and_made_again_stops_everything_for_so_long_and_spends_no_attempt()
            throws Exception {
        startRelayAsItsOwnUser();
        server.control("delete_vhost", host.name());
        relay.awaitTrouble(
                "no connection to the broker " + address(), "NOT_ALLOWED - vhost " + host.name() + " not found");
        write("a");

        administer("rabbit_vhost:add(<<\"%s\">>, <<\"test\">>)".formatted(host.name()), permit(host.user()));
        connect();
        queue("orders", "order.#", Map.of());
        administer(permit());

        assertThat(received("orders", 1)).containsExactly("a");
        relay.awaitReady();
        assertNothingWasSpent();
    }

    // hazards 1, 47
    @Test
    void an_exchange_that_is_deleted_is_named_and_its_events_go_on_by_themselves_when_it_is_back() throws Exception {
        startRelay(host.amqpUri());
        channel.exchangeDelete("events");
        write("a");
        awaitFailures("retrying exchange-missing");
        assertThat(database.value("SELECT detail FROM outbox_failure"))
                .startsWith("the exchange 'events' does not exist on " + address());
        assertThat(relay.log.complaints("was not published: exchange-missing"))
                .as("said once")
                .hasSize(1);

        queue("orders", "order.#", Map.of());

        assertThat(received("orders", 1)).containsExactly("a");
        assertNothingIsKept();
    }

    // hazards 2, 47
    @Test
    void a_queue_that_is_deleted_is_missed_and_its_events_go_on_by_themselves_when_it_is_back() throws Exception {
        startRelay(host.amqpUri());
        channel.queueDelete("orders");
        write("a");
        awaitFailures("retrying unroutable");
        assertThat(database.value("SELECT detail FROM outbox_failure"))
                .contains("no queue is bound to exchange 'events' for routing key 'order.placed'");
        assertThat(relay.log.complaints("was not published: unroutable"))
                .as("said once")
                .hasSize(1);

        queue("orders", "order.#", Map.of());

        assertThat(received("orders", 1)).containsExactly("a");
        assertNothingIsKept();
    }

    // hazard 48
    @Test
    void a_full_queue_is_told_of_and_takes_its_events_when_it_has_room_without_an_attempt_spent() throws Exception {
        startRelay(host.amqpUri());
        channel.queueDelete("orders");
        queue("orders", "order.#", Map.of("x-max-length", 1, "x-overflow", "reject-publish"));
        write("a");
        write("b");
        write("c");
        awaitFailures("retrying nacked");
        assertThat(relay.log.complaints("was not published: nacked"))
                .as("said once")
                .hasSize(1);
        assertThat(database.number("SELECT max(attempts) FROM outbox_failure")).isZero();

        assertThat(received("orders", 3)).containsExactlyInAnyOrder("a", "b", "c");
        assertNothingIsKept();
    }

    // hazard 27
    @Test
    void a_bad_route_stops_no_other_and_readiness_says_which_it_is() {
        startRelay(host.amqpUri());
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('Cart', 'c', 'CartLeft', '{}', 'application/json')\
            """);
        awaitFailures("retrying unroutable");
        for (int n = 0; n < 20; n++) {
            write("order-" + n);
        }

        assertThat(received("orders", 20)).hasSize(20);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(relay.source.stuck()).hasValue("1 of Cart/CartLeft unroutable"));
        assertThat(relay.source.trouble()).as("the source is served").isEmpty();
    }

    // hazard 71
    @Test
    void a_queue_that_does_not_confirm_is_named_in_readiness_gets_each_event_once_and_goes_on_when_it_does()
            throws Exception {
        List<Frame> confirms = new CopyOnWriteArrayList<>();
        AtomicBoolean silent = new AtomicBoolean(true);
        Change holdBack = frame -> silent.get() && frame.isAck() && confirms.add(frame) ? List.of() : List.of(frame);
        try (AmqpWire wire = new AmqpWire(host.host(), host.port(), List::of, holdBack)) {
            relay = SourceHarness.start(
                    "orders",
                    database.database().jdbcUrl(),
                    database.database().user(),
                    database.database().password(),
                    "amqp://%s:%s@127.0.0.1:%d/%s".formatted(host.user(), host.password(), wire.port(), host.name()),
                    Topology.CHECK,
                    Duration.ofSeconds(1));
            write("a");
            write("a");
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(relay.source.stuck().orElse("all moves"))
                            .contains(
                                    "1 event without an answer from the broker for up to",
                                    "exchange 'events', routing key 'order.placed'"));
            assertThat(relay.source.trouble()).as("the source is served").isEmpty();
            assertThat(relay.meters
                            .get("outbox_relay_unanswered_events")
                            .gauge()
                            .value())
                    .isEqualTo(1);

            silent.set(false);
            wire.say(confirms.get(0));

            assertThat(received("orders", 2)).containsExactly("a", "a");
            assertNothingIsKept();
            assertThat(relay.source.stuck()).isEmpty();
        }
    }

    // hazards 7, 48
    @Test
    void a_broker_without_disk_is_told_of_and_takes_events_when_it_has_some_without_an_attempt_spent()
            throws Exception {
        startRelay(host.amqpUri());
        server.control("set_disk_free_limit", "1000000GB");
        try {
            write("a"); // the broker blocks who publishes, so it takes one
            relay.awaitTrouble("the broker " + address() + " blocks publishing: low on disk");
            write("b");
        } finally {
            server.control("set_disk_free_limit", "50MB");
        }

        assertThat(received("orders", 2)).containsExactlyInAnyOrder("a", "b");
        relay.awaitReady();
        assertThat(relay.log.complaints("blocks publishing")).as("said once").hasSize(1);
        assertNothingWasSpent();
    }

    /** Everything in one evaluation, because each command starts its own virtual machine. */
    private static void administer(String... expressions) {
        server.control("eval", String.join(", ", expressions) + ".");
    }

    private String addUser(String password) {
        return "ok = rabbit_auth_backend_internal:add_user(<<\"%s\">>, <<\"%s\">>, <<\"test\">>)"
                .formatted(user, password);
    }

    private String deleteUser() {
        return "ok = rabbit_auth_backend_internal:delete_user(<<\"%s\">>, <<\"test\">>)".formatted(user);
    }

    private String changePassword(String password) {
        return "ok = rabbit_auth_backend_internal:change_password(<<\"%s\">>, <<\"%s\">>, <<\"test\">>)"
                .formatted(user, password);
    }

    private String closeConnections() {
        return "rabbit_networking:close_all_user_connections(<<\"%s\">>, \"changed\")".formatted(user);
    }

    private String permit() {
        return permit(user);
    }

    private String permit(String whom) {
        return permit(whom, ".*");
    }

    private String permit(String whom, String writing) {
        return ("ok = rabbit_auth_backend_internal:set_permissions(<<\"%s\">>, <<\"%s\">>, <<\".*\">>, <<\"%s\">>,"
                        + " <<\".*\">>, <<\"test\">>)")
                .formatted(whom, host.name(), writing);
    }

    private String address() {
        return "%s:%d (virtual host %s)".formatted(host.host(), host.port(), host.name());
    }

    private void connect() throws Exception {
        ConnectionFactory factory = host.connectionFactory();
        factory.setAutomaticRecoveryEnabled(false);
        connection = factory.newConnection();
        channel = connection.createChannel();
    }

    private void queue(String name, String key, Map<String, Object> arguments) throws Exception {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare(name, true, false, false, arguments);
        channel.queueBind(name, "events", key);
    }

    private void write(String order) {
        database.write(order);
    }

    private void awaitFailures(String stateAndReason) {
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(database.column("SELECT DISTINCT state || ' ' || reason FROM outbox_failure"))
                                .containsExactly(stateAndReason));
    }

    private void assertNothingIsKept() {
        await().atMost(PATIENCE)
                .until(() ->
                        database.number("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_failure)")
                                == 0);
        assertThat(relay.ready()).isEqualTo(1);
    }

    /** Every failure would have been written, and would have been logged. */
    private void assertNothingWasSpent() {
        assertNothingIsKept();
        assertThat(relay.log.complaints("was not published"))
                .allMatch(line -> line.contains("was not published: unconfirmed"));
        assertThat(relay.log.complaints(host.name()))
                .as("told at once, and then once a minute")
                .isNotEmpty()
                .hasSizeLessThanOrEqualTo(MOST_COMPLAINTS)
                .allMatch(line -> line.startsWith("Source orders: "));
    }

    /** Waits for this number of messages and returns their orders. */
    private List<String> received(String queue, int count) {
        List<String> orders = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            for (GetResponse next = channel.basicGet(queue, true); next != null; next = channel.basicGet(queue, true)) {
                orders.add(next.getProps().getHeaders().get("aggregate_id").toString());
            }
            return orders.size() >= count;
        });
        return orders;
    }
}
