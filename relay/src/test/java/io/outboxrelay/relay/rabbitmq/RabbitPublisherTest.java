package io.outboxrelay.relay.rabbitmq;

import static io.outboxrelay.relay.rabbitmq.PublisherHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Confirmed;
import io.outboxrelay.relay.lane.Outcome.Nacked;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Outcome.Refused;
import io.outboxrelay.relay.lane.Outcome.Returned;
import io.outboxrelay.relay.lane.Outcome.Unconfirmed;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("server")
class RabbitPublisherTest {

    private TestVirtualHost host;
    private PublisherHarness harness;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        harness = new PublisherHarness(host);
    }

    @AfterEach
    void disconnect() {
        harness.close();
        host.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "quorum"})
    void every_event_is_confirmed_once_and_is_in_the_queue(String type) throws Exception {
        harness.queue("orders", "#", Map.of("x-queue-type", type));
        List<Event> events = orders(2_000);

        assertThat(harness.publish(events)).hasSize(2_000).containsOnly(Outcome.CONFIRMED);

        Set<String> received = new HashSet<>();
        for (int n = 0; n < 2_000; n++) {
            received.add(harness.receive("orders").getProps().getMessageId());
        }
        assertThat(received)
                .isEqualTo(Set.copyOf(
                        events.stream().map(event -> event.id().toString()).toList()));
        assertThat(harness.admin.basicGet("orders", true)).isNull();
    }

    // hazards 2, 5
    @ParameterizedTest
    @ValueSource(strings = {"classic", "quorum"})
    void an_event_that_no_queue_is_bound_for_is_returned_once_and_the_others_are_confirmed(String type)
            throws Exception {
        harness.queue("orders", "order.#", Map.of("x-queue-type", type));
        Events maker = Events.maker();
        List<Event> events = IntStream.range(0, 600)
                .mapToObj(n -> maker.of(n % 3 == 0 ? "Invoice" : "Order", String.valueOf(n)))
                .toList();

        List<Outcome> outcomes = harness.publish(events);

        for (int n = 0; n < 600; n++) {
            assertThat(outcomes.get(n)).isInstanceOf(n % 3 == 0 ? Returned.class : Confirmed.class);
        }
        assertThat(((Returned) outcomes.get(0)).detail())
                .contains("312 NO_ROUTE")
                .contains("'events'")
                .contains("'invoice.order-placed'");
    }

    @Test
    void a_check_finds_the_exchange_and_the_right_to_publish_and_sends_nothing() throws Exception {
        await().atMost(PATIENCE)
                .untilAsserted(() -> harness.client.createChannel().exchangeDeclarePassive("events"));
        harness.queue("orders", "#", Map.of());

        BrokerCheck check = BrokerCheck.of(harness.settings);

        assertThat(check.faults()).isEmpty();
        assertThat(check.notes()).contains("the exchange 'events' exists, and the user may publish to it");
        assertThat(harness.publish(Events.maker().of(1))).isInstanceOf(Confirmed.class);
        assertThat(harness.receive("orders").getProps().getType()).isEqualTo("OrderPlaced");
    }

    // hazard 1
    @Test
    void an_event_whose_exchange_is_missing_is_returned_with_its_name_and_confirmed_once_it_exists() throws Exception {
        harness.close();
        harness = new PublisherHarness(host, "{aggregate_type}-events", "all", Topology.CHECK, false);
        Events maker = Events.maker();
        harness.admin.exchangeDeclare("order-events", "fanout", true);
        harness.admin.queueDeclare("all", true, false, false, Map.of());
        harness.admin.queueBind("all", "order-events", "");

        List<Outcome> outcomes = harness.publish(List.of(maker.of("Invoice", "1"), maker.of("Order", "1")));

        assertThat(outcomes.get(0))
                .isInstanceOfSatisfying(
                        Returned.class,
                        returned -> assertThat(returned.detail())
                                .contains("the exchange 'invoice-events' does not exist")
                                .contains("broker.topology: declare"));
        assertThat(outcomes.get(1)).isInstanceOf(Confirmed.class);

        harness.admin.exchangeDeclare("invoice-events", "fanout", true);
        harness.admin.queueBind("all", "invoice-events", "");

        await().atMost(PATIENCE).until(() -> harness.publish(maker.of("Invoice", "1")), Confirmed.class::isInstance);
    }

    // hazard 86
    @Test
    void of_a_template_only_those_exchanges_are_declared_that_are_named_and_metrics_and_log_are_bounded()
            throws Exception {
        harness.close();
        harness = new PublisherHarness(host, "{aggregate_type}-events", "all", Topology.DECLARE, false);
        Events maker = Events.maker();
        try (LogLines log = new LogLines("io.outboxrelay.relay.rabbitmq")) {
            for (int n = 0; n < 120; n++) {
                assertThat(harness.publish(maker.of("type" + n, "1")))
                        .isInstanceOfSatisfying(
                                Returned.class,
                                returned -> assertThat(returned.detail())
                                        .contains("does not exist", "broker.declare-exchanges"));
            }

            assertThat(harness.publish(maker.of("Order", "1"))).isInstanceOf(Returned.class);
            assertThat(harness.meters.find("outbox_relay_published").counters())
                    .as("series: 100 exchanges, and one for the others")
                    .hasSize(101);
            assertThat(harness.meters
                            .get("outbox_relay_published")
                            .tag("exchange", "other")
                            .counter()
                            .count())
                    .isEqualTo(21);
            assertThat(log.lines("")).hasSize(101);
        }

        harness.close();
        harness = new PublisherHarness(host, "{aggregate_type}-events", "all", Topology.DECLARE, false, "order-events");
        assertThat(harness.publish(maker.of("Order", "1")))
                .as("declared, and without a queue")
                .isInstanceOfSatisfying(
                        Returned.class,
                        returned -> assertThat(returned.reason()).isEqualTo(Reason.UNROUTABLE));
        assertThat(harness.publish(maker.of("Invoice", "1")))
                .isInstanceOfSatisfying(
                        Returned.class,
                        returned -> assertThat(returned.reason()).isEqualTo(Reason.EXCHANGE_MISSING));
    }

    @Test
    void a_missing_exchange_is_declared_where_that_is_wanted() throws Exception {
        await().atMost(PATIENCE)
                .untilAsserted(() -> harness.client.createChannel().exchangeDeclarePassive("events"));
        harness.queue("orders", "#", Map.of());

        assertThat(harness.publish(Events.maker().of(1))).isInstanceOf(Confirmed.class);
    }

    // hazards 1, 4
    @Test
    void an_exchange_that_is_deleted_while_publishing_leaves_every_event_unconfirmed_and_is_then_named()
            throws Exception {
        harness.close();
        harness = new PublisherHarness(host, "events", "all", Topology.CHECK, false);
        harness.queue("orders", "#", Map.of());
        Events maker = Events.maker();
        assertThat(harness.publish(maker.of(1))).isInstanceOf(Confirmed.class);
        harness.admin.exchangeDelete("events");

        assertThat(harness.publish(List.of(maker.of(1), maker.of(2)))).hasOnlyElementsOfType(Unconfirmed.class);
        harness.awaitReady();
        assertThat(harness.publish(maker.of(1)))
                .isInstanceOfSatisfying(
                        Returned.class,
                        returned -> assertThat(returned.detail()).contains("'events' does not exist"));
    }

    // hazard 5
    @ParameterizedTest
    @ValueSource(strings = {"classic", "quorum"})
    void a_full_queue_nacks_its_own_events_only(String type) throws Exception {
        harness.queue("orders", "order.#", Map.of("x-queue-type", type));
        harness.queue(
                "few", "invoice.#", Map.of("x-queue-type", type, "x-max-length", 1, "x-overflow", "reject-publish"));
        Events maker = Events.maker();
        // A quorum queue learns of being full a moment after it is.
        await().atMost(PATIENCE).until(() -> harness.publish(maker.of("Invoice", "first")), Nacked.class::isInstance);
        List<Event> events = IntStream.range(0, 400)
                .mapToObj(n -> maker.of(n % 4 == 0 ? "Invoice" : "Order", String.valueOf(n)))
                .toList();

        List<Outcome> outcomes = harness.publish(events);

        for (int n = 0; n < 400; n++) {
            assertThat(outcomes.get(n)).as("event %d", n).isInstanceOf(n % 4 == 0 ? Nacked.class : Confirmed.class);
        }
    }

    // hazard 26
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"%s\": 1}",
                "{\"n\": 123456789012345678901234567890}",
                "{\"list\": [1, 99999999999999999999]}",
                "[1]",
                "{\"long\": \"LONG\"}"
            })
    void an_event_whose_headers_cannot_be_sent_is_refused_alone(String headers) throws Exception {
        harness.queue("orders", "#", Map.of());
        Events maker = Events.maker();
        List<Event> neighbours = IntStream.range(0, 5).mapToObj(maker::of).toList();
        Event bad = Events.maker()
                .headers(headers.formatted("ü".repeat(128)).replace("LONG", "x".repeat(200_000)))
                .of("bad");

        List<Event> all = new ArrayList<>(neighbours);
        all.add(2, bad);
        List<Outcome> outcomes = harness.publish(all);

        assertThat(outcomes.get(2))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.detail())
                                .contains("cannot be encoded")
                                .doesNotContain("xxx"));
        outcomes = new ArrayList<>(outcomes);
        outcomes.remove(2);
        assertThat(outcomes).containsOnly(Outcome.CONFIRMED);
    }

    // hazards 26, 73
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'CC': ['secret']}                               | the header 'CC' is RabbitMQ's own",
                "{'BCC': 'secret'}                                | the header 'BCC' is RabbitMQ's own",
                "{'n': 123456789012345678901234567890}            | the header 'n' has an integer of more than 64 bits",
                "{'deep': {'list': [1, 99999999999999999999]}}    | the header 'deep' has an integer",
                "{'deep': {'NAME': 'secret'}}                     | a name in the header 'deep' has 256 bytes",
                "{'a': 1, 'LONG': 'secret'}                       | a name in the header 'LLLL",
                "{'a': 1, 'tenant': 'VALUE'}                      | the longest header is 'tenant'",
                "NESTED                                           | the header 'a' is nested too deeply",
                "'secret'                                         | the headers are not a JSON object"
            })
    void an_event_that_is_refused_for_a_header_names_it_and_not_its_value(String headers, String words)
            throws Exception {
        Event event = Events.maker()
                .headers(headers.replace('\'', '"')
                        .replace("NAME", "ü".repeat(128))
                        .replace("LONG", "L".repeat(256))
                        .replace("VALUE", "secret".repeat(40_000))
                        .replace("NESTED", "{\"a\": " + "[".repeat(2_000) + "]".repeat(2_000) + "}"))
                .of(1);

        assertThat(harness.publish(event))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.detail())
                                .contains(words)
                                .doesNotContain("secret", "123456", "9999"));
    }

    // hazard 73
    @Test
    void headers_in_which_the_broker_keeps_its_record_are_not_sent_and_harm_no_queue() throws Exception {
        harness.queue("dead", "none", Map.of());
        harness.queue(
                "short",
                "order.#",
                Map.of("x-message-ttl", 1, "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "dead"));
        try (LogLines log = new LogLines(Message.class.getName())) {
            Events maker = Events.maker().headers("""
                    {"x-death": ["a"], "x-first-death-queue": 1, "x-delivery-count": "many", "x-received-from": {},
                     "x-delay": 7, "tenant": "t"}
                    """);

            assertThat(harness.publish(List.of(maker.of(1), maker.of(2)))).containsOnly(Outcome.CONFIRMED);

            List<GetResponse> dead = new ArrayList<>();
            await().atMost(PATIENCE).until(() -> {
                GetResponse next = harness.admin.basicGet("dead", true);
                return (next == null || dead.add(next)) && dead.size() == 2;
            });
            assertThat(dead.get(0).getProps().getHeaders().get("x-death"))
                    .as("the broker's own")
                    .asString()
                    .contains("reason=expired");
            assertThat(dead.get(0).getProps().getHeaders())
                    .containsKeys("x-delay", "tenant")
                    .doesNotContainKeys("x-delivery-count", "x-received-from");
            assertThat(log.complaints("are not sent"))
                    .singleElement()
                    .asString()
                    .contains("[x-death, x-delivery-count, x-first-death-queue, x-received-from]");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1969-12-31T23:59:59.999Z", "-4711-01-01T00:00:00Z", "-1000000000-01-01T00:00:00Z"})
    void an_event_of_a_time_that_the_protocol_has_not_is_refused_with_the_time(String time) throws Exception {
        harness.queue("orders", "#", Map.of());

        List<Outcome> outcomes = harness.publish(List.of(
                Events.maker().occurredAt(Instant.parse(time)).of(1),
                Events.maker().occurredAt(Instant.EPOCH).of(2)));

        assertThat(outcomes.get(0))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused ->
                                assertThat(refused.detail()).contains("it occurred at " + Instant.parse(time), "1970"));
        assertThat(outcomes.get(1)).isInstanceOf(Confirmed.class);
    }

    @Test
    void an_event_of_a_type_or_route_that_is_too_long_for_the_protocol_is_refused_alone() throws Exception {
        harness.queue("orders", "#", Map.of());
        Event longType = Events.maker().type("T".repeat(256)).of(1);
        Event longContentType = Events.maker().contentType("t".repeat(256)).of(2);
        Event manyBytesInKey = Events.maker().type("Ü".repeat(127)).of(3);
        Event good = Events.maker().of(4);

        List<Outcome> outcomes = harness.publish(List.of(longType, longContentType, manyBytesInKey, good));

        assertThat(outcomes.subList(0, 3)).hasOnlyElementsOfType(Refused.class);
        assertThat(((Refused) outcomes.get(1)).detail()).contains("the content type has 256 bytes");
        assertThat(outcomes.get(3)).isInstanceOf(Confirmed.class);
    }

    @Test
    void an_event_whose_exchange_has_too_long_a_name_is_refused() throws Exception {
        harness.close();
        harness = new PublisherHarness(host, "{aggregate_id}", "all", Topology.DECLARE, false);

        assertThat(harness.publish(Events.maker().of("x".repeat(300)))).isInstanceOf(Refused.class);
    }

    @Test
    void an_event_whose_payload_was_not_read_is_refused_with_its_size() throws Exception {
        assertThat(harness.publish(Events.maker().unreadPayload().of(1)))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.detail())
                                .contains("20000000 bytes")
                                .contains("max-event-bytes"));
    }

    // hazards 42, 43
    @Test
    void an_event_arrives_with_its_bytes_its_headers_and_its_properties() throws Exception {
        harness.queue("orders", "order.placed", Map.of());
        byte[] payload = new byte[300_000]; // more than a frame
        new Random(5).nextBytes(payload);
        Event event = Events.maker()
                .payload(payload)
                .contentType("application/avro")
                .occurredAt(Instant.parse("2026-03-04T05:06:07.890Z"))
                .headers("""
                    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                     "tenant": "Zürich 🚚", "n": 7, "big": 5000000000, "rate": 0.25, "yes": true, "none": null,
                     "deep": {"list": ["a", 1, {"b": false}]}, "aggregate_type": "not this one",
                     "outbox_lane": "nor this"}\
                    """)
                .lane(5)
                .of("Order", "Ä 1");

        assertThat(harness.publish(event)).isInstanceOf(Confirmed.class);

        GetResponse message = harness.receive("orders");
        BasicProperties properties = message.getProps();
        assertThat(message.getBody()).isEqualTo(payload);
        assertThat(properties.getMessageId()).isEqualTo(event.id().toString());
        assertThat(properties.getType()).isEqualTo("OrderPlaced");
        assertThat(properties.getTimestamp()).isEqualTo(Date.from(Instant.parse("2026-03-04T05:06:07Z")));
        assertThat(properties.getAppId()).isEqualTo("orders");
        assertThat(properties.getContentType()).isEqualTo("application/avro");
        assertThat(properties.getDeliveryMode()).isEqualTo(2);
        Map<String, Object> headers = properties.getHeaders();
        assertThat(headers.get("aggregate_type")).hasToString("Order");
        assertThat(headers.get("aggregate_id")).hasToString("Ä 1");
        assertThat(headers).containsEntry("outbox_lane", 5);
        assertThat(headers.get("traceparent")).hasToString("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        assertThat(headers.get("tenant")).hasToString("Zürich 🚚");
        assertThat(headers)
                .containsEntry("n", 7)
                .containsEntry("big", 5_000_000_000L)
                .containsEntry("rate", 0.25);
        assertThat(headers).containsEntry("yes", true).containsEntry("none", null);
        assertThat(headers.get("deep")).hasToString("{list=[a, 1, {b=false}]}");
        assertThat(headers).hasSize(11);
    }

    @Test
    void with_cloud_events_their_attributes_are_headers_too() throws Exception {
        harness.close();
        harness = new PublisherHarness(host, "events", "all", Topology.DECLARE, true);
        harness.queue("orders", "#", Map.of());
        Event event = Events.maker().of("Order", "1");

        harness.publish(event);

        Map<String, Object> headers = harness.receive("orders").getProps().getHeaders();
        assertThat(headers.get("cloudEvents_specversion")).hasToString("1.0");
        assertThat(headers.get("cloudEvents_id")).hasToString(event.id().toString());
        assertThat(headers.get("cloudEvents_source")).hasToString("orders");
        assertThat(headers.get("cloudEvents_type")).hasToString("OrderPlaced");
        assertThat(headers.get("cloudEvents_subject")).hasToString("1");
        assertThat(headers.get("cloudEvents_time")).hasToString("2026-03-04T05:06:07Z");
    }

    @Test
    void an_empty_payload_is_an_event_too() throws Exception {
        harness.queue("orders", "#", Map.of());

        assertThat(harness.publish(Events.maker().payload(new byte[0]).of(1))).isInstanceOf(Confirmed.class);
        assertThat(harness.receive("orders").getBody()).isEmpty();
    }

    // hazard 12
    @Test
    void nothing_grows_with_the_number_of_batches() throws Exception {
        harness.queue("orders", "order.#", Map.of("x-max-length", 10));
        Events maker = Events.maker();
        for (int batch = 0; batch < 500; batch++) {
            harness.publish(List.of(maker.of(1), maker.of(2), maker.of("Invoice", "3")));
            assertThat(harness.publisher.outstanding()).isZero();
            assertThat(harness.publisher.kept()).isZero();
        }
        assertThat(harness.meters.find("outbox_relay_published").counters()).hasSize(2); // confirmed, returned
    }

    // hazard 12
    @Test
    void lost_connections_leave_nothing_behind() throws Exception {
        for (int n = 0; n < 3; n++) {
            closeTheRelaysConnection();
            await().atMost(PATIENCE).until(() -> harness.publisher.kept() > 0); // nobody asked for answers
            harness.awaitReady();
        }
        assertThat(harness.publisher.kept()).isZero();
    }

    @Test
    void a_closed_broker_leaves_no_connection_and_no_thread() {
        harness.publisher.close();
        harness.broker.close();

        assertThat(harness.broker.trouble()).isPresent();
        await().atMost(PATIENCE).until(() -> !relaysConnections().findAny().isPresent());
        await().atMost(PATIENCE)
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().equals("orders-broker")));
    }

    private void closeTheRelaysConnection() {
        await().atMost(PATIENCE).until(() -> relaysConnections().findAny().isPresent());
        relaysConnections().forEach(pid -> Servers.rabbitmq().control("close_connection", pid, "closed by a test"));
    }

    private Stream<String> relaysConnections() {
        return Servers.rabbitmq()
                .control("list_connections", "--silent", "pid", "vhost", "client_properties")
                .lines()
                .filter(line -> line.contains(host.name()) && line.contains("outbox-relay"))
                .map(line -> line.split("\t", 2)[0]);
    }

    private static List<Event> orders(int count) {
        Events maker = Events.maker();
        return IntStream.range(0, count).mapToObj(maker::of).toList();
    }
}
