package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.client.Inbox;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import tools.jackson.databind.json.JsonMapper;

/** Orders over HTTP, in front of scripted services. */
@Tag("server")
class OrdersApiTest {

    private static final String PLACING =
            "{\"customer_id\":\"anna\",\"lines\":[{\"product_id\":\"lamp\",\"quantity\":2}]}";

    private static ScriptedServer orders;
    private static ScriptedServer others;
    private static RunningStorefront storefront;

    private final String order = UUID.randomUUID().toString();

    @BeforeAll
    static void start() throws Exception {
        orders = ScriptedServer.start();
        others = ScriptedServer.start();
        storefront = RunningStorefront.start(
                "--storefront.orders-url=" + orders.url(),
                "--storefront.customers-url=" + others.url(),
                "--storefront.products-url=" + others.url(),
                "--storefront.calls.timeout=500ms",
                "--storefront.calls.attempts=1",
                "--storefront.own-order=60s");
    }

    @AfterAll
    static void stop() throws IOException {
        storefront.close();
        orders.close();
        others.close();
    }

    @Test
    void a_composed_order_names_its_missing_parts() throws Exception {
        orders.on("GET /orders/" + order, 200, """
                {"order_id": "%s", "state": "confirmed", "customer_id": "anna", "amount_cents": 1990, "currency": "EUR",
                 "lines": [{"product_id": "lamp", "name": "Lamp", "quantity": 1, "price_cents": 1990}]}
                """.formatted(order));
        others.on("GET /products/lamp", 200, """
                {"product_id": "lamp", "name": "Lamp", "price_cents": 2190, "currency": "EUR", "stock": 17,
                 "reserved": 2}
                """);

        HttpResponse<String> answer = storefront.get("/orders/" + order);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"customer_id\":\"anna\",\"customer\":null")
                .contains("\"price_cents\":1990,\"product\":{\"name\":\"Lamp\",\"price_cents\":2190")
                .contains("\"missing\":[{\"part\":\"customer\",\"service\":\"customers\","
                        + "\"reason\":\"it has no such entry\"}");
    }

    @Test
    void without_the_orders_service_there_is_a_problem_that_names_it() throws Exception {
        orders.hangsUpOn("GET /orders/" + order);

        HttpResponse<String> answer = storefront.get("/orders/" + order);

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(answer.body())
                .contains(
                        "\"service\":\"orders\"",
                        "The orders service is unavailable: the connection broke. Try again later");
    }

    @Test
    void an_order_that_the_orders_service_does_not_know_is_not_found() throws Exception {
        HttpResponse<String> answer = storefront.get("/orders/" + order);

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("There is no order " + order);
        assertThat(storefront.get("/orders/7").statusCode()).isEqualTo(400);
    }

    @Test
    void an_order_is_passed_on_and_the_answer_passed_back() throws Exception {
        orders.on("POST /orders", exchange -> {
            exchange.getResponseHeaders().set("Location", orders.url() + "/orders/" + order);
            ScriptedServer.send(exchange, 202, "{\"order_id\":\"" + order + "\"}");
        });

        HttpResponse<String> answer = storefront.post("/orders", PLACING);

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.headers().firstValue("Location")).contains("/orders/" + order);
        assertThat(answer.body()).contains(order);
        assertThat(orders.requests()).contains("POST /orders " + PLACING);
    }

    @Test
    void the_answer_to_a_new_order_comes_when_the_views_have_it() throws Exception {
        TestEvent placed = TestEvent.placed(order, 1, "anna");
        orders.on("POST /orders", exchange -> {
            exchange.getResponseHeaders().set("Location", "/orders/" + order);
            ScriptedServer.send(exchange, 202, "{\"event_id\":\"" + placed.id() + "\"}");
            storefront.publish(placed);
        });
        CompletableFuture<HttpResponse<String>> answer;
        try (Connection writer = storefront.database().database().dataSource().getConnection()) {
            writer.setAutoCommit(false);
            writer.createStatement().execute("LOCK TABLE order_view IN EXCLUSIVE MODE");
            answer = CompletableFuture.supplyAsync(() -> placed());
            await().atMost(RunningStorefront.SOON).until(OrdersApiTest::aViewWaitsForALock);

            assertThat(answer.isDone()).isFalse();
            writer.rollback();
        }

        assertThat(answer.get().statusCode()).isEqualTo(202);
        assertThat(storefront.get("/orders/" + order + "/timeline").body()).contains("\"customer_id\":\"anna\"");
    }

    @Test
    void an_order_whose_event_is_late_or_unknown_is_placed_all_the_same() {
        StorefrontSettings impatient = new StorefrontSettings(
                orders.url(),
                orders.url(),
                orders.url(),
                Duration.ZERO,
                Duration.ofMillis(20),
                new StorefrontSettings.Calls(Duration.ZERO, Duration.ZERO, 1, Duration.ZERO, Duration.ZERO),
                null);
        DriverManagerDataSource away = new DriverManagerDataSource("jdbc:postgresql://localhost:1/nothing");
        Inbox unreachable = new Inbox(away, new JdbcTransactionManager(away));
        JsonMapper json = storefront.bean(JsonMapper.class);
        String late = "{\"event_id\":\"" + UUID.randomUUID() + "\"}";

        for (String answer : List.of(late, "{\"order_id\":\"" + order + "\"}", "none")) {
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            assertThatCode(() -> new OwnOrders(storefront.bean(Inbox.class), impatient, json).await(body))
                    .doesNotThrowAnyException();
            assertThatCode(() -> new OwnOrders(unreachable, impatient, json).await(body))
                    .doesNotThrowAnyException();
        }
        assertThatCode(() -> new OwnOrders(unreachable, impatient, json).await(null))
                .doesNotThrowAnyException();
    }

    private static HttpResponse<String> placed() {
        try {
            return storefront.post("/orders", PLACING);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean aViewWaitsForALock() {
        return storefront.owner().sql("""
                        SELECT count(*) > 0 FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'
                        """).query(Boolean.class).single();
    }

    @Test
    void a_refusal_of_the_orders_service_is_passed_back_unchanged() throws Exception {
        orders.on("POST /orders/" + order + "/payment", 402, "{\"detail\":\"The bank declined\"}");

        HttpResponse<String> answer =
                storefront.post("/orders/" + order + "/payment", "{\"card\":\"4000-0000-0000-0002\"}");

        assertThat(answer.statusCode()).isEqualTo(402);
        assertThat(answer.body()).isEqualTo("{\"detail\":\"The bank declined\"}");
    }

    @Test
    void a_cancellation_is_passed_on() throws Exception {
        orders.on("POST /orders/" + order + "/cancellation", 202, "");

        assertThat(storefront.post("/orders/" + order + "/cancellation", "").statusCode())
                .isEqualTo(202);
    }

    @Test
    void a_change_without_an_answer_is_not_reported_as_failed() throws Exception {
        String cancellation = "/orders/" + order + "/cancellation";
        orders.hangsOn("POST " + cancellation);

        HttpResponse<String> answer = storefront.post(cancellation, "");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("The request may have been carried out: check before you repeat it");
        assertThat(orders.requestsOf("POST " + cancellation)).isEqualTo(1);
    }

    @Test
    void an_invalid_order_is_refused_with_field_and_value() throws Exception {
        HttpResponse<String> answer = storefront.post(
                "/orders", "{\"customer_id\":\" \",\"lines\":[{\"product_id\":\"lamp\",\"quantity\":0}]}");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("lines[0].quantity must be greater than or equal to 1, not '0'");
    }
}
