package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.contracts.CustomersHeartbeat;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.orders.RunningOrders.Answer;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

@Tag("server")
class OrdersApiTest {

    private static final Map<String, Object> GOOD_CARD = Map.of("card", "4000-0000-0000-0001");

    private static RunningOrders shop;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        shop = RunningOrders.start("--shop.heartbeat=100ms");
        shop.know("anna", "lamp", 1_990);
        shop.know("bert", "chair", 5_000);
    }

    @AfterAll
    static void stop() throws IOException {
        shop.close();
    }

    @Test
    void an_order_is_accepted_and_can_be_watched_at_the_location_in_the_answer() {
        Answer placed = shop.post("/orders", order("anna", List.of(line("lamp", 2), line("chair", 1))));

        assertThat(placed.status()).isEqualTo(202);
        assertThat(placed.body()).containsEntry("state", "awaiting_stock");
        assertThat(shop.owner()
                        .sql("SELECT event_type FROM outbox WHERE event_id = ?::uuid")
                        .param(placed.body().get("event_id"))
                        .query(String.class)
                        .list())
                .containsExactly("OrderPlaced");
        Answer shown = shop.get(String.valueOf(placed.headers().getLocation()));
        assertThat(shown.status()).isEqualTo(200);
        assertThat(shown.body())
                .containsEntry("order_id", placed.body().get("order_id"))
                .containsEntry("state", "awaiting_stock")
                .containsEntry("reason", null)
                .containsEntry("customer", Map.of("name", "Anna", "email", "anna@shop.example"))
                .containsEntry("amount_cents", 8_980)
                .containsEntry("currency", "EUR")
                .containsEntry(
                        "lines",
                        List.of(
                                Map.of("product_id", "lamp", "name", "Lamp", "quantity", 2, "price_cents", 1_990),
                                Map.of("product_id", "chair", "name", "Lamp", "quantity", 1, "price_cents", 5_000)));
        assertThat(each(shown.body().get("steps"), "step")).containsExactly("OrderPlaced", "StockReservationRequested");
    }

    @Test
    void the_price_of_an_order_stays_when_the_product_s_changes() {
        shop.deliverAndAwait("product", SagaReply.productAdded("vase", 1, "Vase", 1_000));
        UUID before = place("anna", "vase");
        shop.deliverAndAwait("product", SagaReply.productChanged("vase", 2, "Great vase", 1_500));
        UUID after = place("anna", "vase");

        assertThat(shop.order(before).lines()).containsExactly(new Order.Line("vase", "Vase", 1, 1_000));
        assertThat(shop.order(before).amountCents()).isEqualTo(1_000);
        assertThat(shop.order(after).lines()).containsExactly(new Order.Line("vase", "Great vase", 1, 1_500));
    }

    @Test
    void the_name_of_a_customer_is_shown_as_it_is_now() {
        shop.deliverAndAwait("customer", SagaReply.customerRegistered("carl", 1, "Carl", "carl@shop.example"));
        UUID order = place("carl", "lamp");
        shop.deliverAndAwait("customer", SagaReply.customerChanged("carl", 2, "Carla", "carla@shop.example"));

        assertThat(shop.get("/orders/" + order).body())
                .containsEntry("customer", Map.of("name", "Carla", "email", "carla@shop.example"));
    }

    @Test
    void a_customer_s_orders_are_listed_the_latest_first() {
        shop.deliverAndAwait("customer", SagaReply.customerRegistered("dora", 1, "Dora", "dora@shop.example"));
        UUID first = place("dora", "lamp");
        UUID second = place("dora", "lamp");

        assertThat(shop.list("/orders?customer_id=dora"))
                .extracting(order -> order.get("order_id"))
                .containsExactly(second.toString(), first.toString());
        assertThat(shop.list("/orders?customer_id=nobody")).isEmpty();
    }

    @Test
    void an_order_of_an_unknown_customer_or_product_is_refused_and_leaves_nothing() {
        int before = orders();
        Answer customer = shop.post("/orders", order("nobody", List.of(line("lamp", 1))));
        Answer product = shop.post("/orders", order("anna", List.of(line("lamp", 1), line("moon", 1))));

        assertThat(customer.status()).isEqualTo(422);
        assertThat(customer.headers().getContentType()).hasToString("application/problem+json");
        assertThat(customer.detail()).contains("customer nobody", "GET /replicas");
        assertThat(product.status()).isEqualTo(422);
        assertThat(product.detail()).contains("product moon", "GET /replicas");
        assertThat(orders()).isEqualTo(before);
    }

    @Test
    void lines_without_a_common_total_are_refused() {
        shop.deliverAndAwait("product", new ProductAdded("tea", 1, "Tea", 300L, "GBP", Instant.EPOCH));
        shop.deliverAndAwait("product", SagaReply.productAdded("palace", 1, "Palace", Long.MAX_VALUE));

        Answer twice = shop.post("/orders", order("anna", List.of(line("lamp", 1), line("lamp", 2))));
        Answer foreign = shop.post("/orders", order("anna", List.of(line("tea", 1))));
        Answer beyond = shop.post("/orders", order("anna", List.of(line("palace", 2))));

        assertThat(List.of(twice.status(), foreign.status(), beyond.status())).containsOnly(422);
        assertThat(twice.detail()).contains("lamp", "two lines");
        assertThat(foreign.detail()).contains("tea", "GBP", "EUR");
        assertThat(beyond.detail()).contains("exceeds 9223372036854775807 cents");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"lines\": [{\"product_id\": \"lamp\", \"quantity\": 1}]} | customer_id",
                "{\"customer_id\": \"a b\", \"lines\": [{\"product_id\": \"lamp\", \"quantity\": 1}]} | a b",
                "{\"customer_id\": \"anna\", \"lines\": []} | lines",
                "{\"customer_id\": \"anna\", \"lines\": [null]} | lines[0]",
                "{\"customer_id\": \"anna\", \"lines\": [{\"product_id\": \"lamp\"}]} | lines[0].quantity",
                "{\"customer_id\": \"anna\", \"lines\": [{\"product_id\": \"lamp\", \"quantity\": 0}]} |"
                        + " lines[0].quantity",
                "{\"customer_id\": \"anna\", \"lines\": [{\"product_id\": \"lamp\", \"quantity\": 1.5}]} |"
                        + " lines[0].quantity",
                "{\"customer_id\": \"anna\", \"lines\": [{\"product_id\": \"lamp\", \"quantity\": \"two\"}]}"
                        + " | lines[0].quantity must be an integer",
                "{\"customer_id\" | The body is not valid JSON",
            })
    void an_invalid_order_is_refused_with_its_faults(String body, String named) {
        Answer answer = shop.post("/orders", body);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.headers().getContentType()).hasToString("application/problem+json");
        assertThat(answer.detail()).contains(named);
    }

    @Test
    void a_missing_order_is_not_found_and_an_invalid_id_is_a_bad_request() {
        UUID nobody = UUID.randomUUID();

        assertThat(shop.get("/orders/" + nobody).status()).isEqualTo(404);
        assertThat(shop.get("/orders/" + nobody).detail()).contains(nobody.toString());
        assertThat(shop.post("/orders/" + nobody + "/payment", GOOD_CARD).status())
                .isEqualTo(404);
        assertThat(shop.post("/orders/" + nobody + "/cancellation", Map.of()).status())
                .isEqualTo(404);
        assertThat(shop.get("/orders/17").status()).isEqualTo(400);
        assertThat(shop.get("/orders/17").detail()).contains("order_id", "17");
        assertThat(shop.get("/orders").status()).isEqualTo(400);
        assertThat(shop.get("/orders").detail()).contains("customer_id");
    }

    @Test
    void a_confirmed_order_is_paid_unless_the_bank_declines() {
        UUID order = confirmed();
        Answer declined = shop.post("/orders/" + order + "/payment", Map.of("card", Bank.EMPTY_CARD));
        Answer paid = shop.post("/orders/" + order + "/payment", GOOD_CARD);
        Answer again = shop.post("/orders/" + order + "/payment", GOOD_CARD);

        assertThat(declined.status()).isEqualTo(402);
        assertThat(declined.detail()).contains(order.toString(), "another card");
        assertThat(paid.status()).isEqualTo(204);
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.detail()).contains(order.toString(), "paid");
        assertThat(shop.toldTypes(order)).endsWith("OrderConfirmed", "OrderPaid");
        assertThat(shop.post("/orders/" + order + "/payment", Map.of("card", ""))
                        .status())
                .isEqualTo(400);
    }

    @Test
    void a_confirmed_order_can_be_cancelled_and_one_whose_saga_runs_cannot() {
        UUID order = confirmed();
        UUID running = place("anna", "lamp");

        assertThat(shop.post("/orders/" + order + "/cancellation", Map.of()).status())
                .isEqualTo(202);
        assertThat(shop.order(order).state()).isEqualTo(OrderState.RELEASING_CREDIT);
        Answer early = shop.post("/orders/" + running + "/cancellation", Map.of());
        assertThat(early.status()).isEqualTo(409);
        assertThat(early.detail()).contains(running.toString(), "awaiting_stock", "saga is still running");
    }

    @Test
    void the_age_of_the_copies_is_in_the_api_and_a_metric() {
        Instant hourAgo = Instant.now().minusSeconds(3_600);
        shop.owner().sql("DELETE FROM freshness").update();
        shop.deliverAndAwait("heartbeat", new CustomersHeartbeat(1, hourAgo));

        Map<String, Object> customers = shop.list("/replicas").get(0);
        assertThat(customers).containsEntry("source", "customers").containsKey("as_of");
        assertThat((Double) customers.get("age_seconds")).isBetween(3_600.0, 7_200.0);
        UUID order = place("anna", "lamp");
        assertThat(each(shop.get("/orders/" + order).body().get("replicas"), "source"))
                .containsExactly("customers");
        assertThat(shop.text("/actuator/prometheus"))
                .containsPattern("shop_copy_age_seconds\\{.*source=\"customers\".*} 36\\d\\d")
                .containsPattern("outbox_consumer_state\\{.*state=\"CONSUMING\"} 1")
                .contains("outbox_consumer_handling_seconds_count", "outbox_consumer_age_seconds_sum")
                .as("the service may not read its outbox")
                .containsPattern("outbox_backlog_events.* NaN");
    }

    @Test
    void the_service_publishes_heartbeats() {
        await().atMost(RunningOrders.SOON)
                .until(() -> shop.owner()
                                .sql("SELECT count(*) FROM outbox"
                                        + " WHERE event_type = 'OrdersHeartbeat' AND aggregate_id = 'orders'")
                                .query(Integer.class)
                                .single()
                        >= 2);
    }

    @Test
    void the_api_describes_its_operations() {
        String description = shop.text("/v3/api-docs");

        assertThat(description)
                .contains("\"title\":\"Orders\"", "/orders/{order_id}/cancellation", "Place an order", "customer_id");
        assertThat(shop.get("/actuator/health").body()).containsEntry("status", "UP");
        assertThat(shop.get("/actuator/env").status()).isEqualTo(404);
    }

    @Test
    void the_service_s_login_writes_the_outbox_and_cannot_read_it() {
        JdbcClient service = JdbcClient.create(shop.database().asService());

        assertThatThrownBy(
                        () -> service.sql("SELECT count(*) FROM outbox").query().singleRow())
                .isInstanceOf(DataAccessException.class)
                .rootCause()
                .hasMessageContaining("permission denied for table outbox");
        assertThatThrownBy(() -> service.sql("DELETE FROM outbox").update()).isInstanceOf(DataAccessException.class);
        assertThatThrownBy(() -> service.sql("DELETE FROM orders").update()).isInstanceOf(DataAccessException.class);
        assertThatThrownBy(() ->
                        service.sql("UPDATE order_line SET price_cents = 0").update())
                .isInstanceOf(DataAccessException.class);
    }

    /** Of each object in a list, the value of a field. */
    private static List<Object> each(@Nullable Object list, String field) {
        return ((List<?>) Objects.requireNonNull(list))
                .stream().<Object>map(row -> ((Map<?, ?>) row).get(field)).toList();
    }

    private static int orders() {
        return shop.owner()
                .sql("SELECT count(*) FROM orders")
                .query(Integer.class)
                .single();
    }

    private static UUID confirmed() {
        UUID order = place("anna", "lamp");
        shop.deliverAndAwait("reservation", SagaReply.stockReserved(order));
        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));
        shop.awaitState(order, OrderState.CONFIRMED);
        return order;
    }

    private static UUID place(String customerId, String productId) {
        Answer placed = shop.post("/orders", order(customerId, List.of(line(productId, 1))));
        return UUID.fromString(String.valueOf(placed.body().get("order_id")));
    }

    private static Map<String, Object> order(String customerId, List<Map<String, Object>> lines) {
        return Map.of("customer_id", customerId, "lines", lines);
    }

    private static Map<String, Object> line(String productId, int quantity) {
        return Map.of("product_id", productId, "quantity", quantity);
    }
}
