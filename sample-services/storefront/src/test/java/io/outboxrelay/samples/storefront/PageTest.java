package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.browser.Browser;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.OrderRejection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The page in a real browser, with the real storefront; the orders service and a relay are scripted. */
@Tag("server")
class PageTest {

    private static final int DESK = 1_200;
    private static final int PHONE = 360;

    private static final String READY = "GET /health/ready";
    private static final String OUTBOX = "GET /outbox";

    private static ScriptedServer orders;
    private static ScriptedServer relay;
    private static RunningStorefront storefront;

    private final String order = UUID.randomUUID().toString();

    @BeforeAll
    static void start() throws Exception {
        orders = ScriptedServer.start();
        relay = ScriptedServer.start();
        Path processes =
                Files.writeString(Files.createTempFile("processes", ".json"), """
                [{"name": "relay-1", "kind": "RELAY", "url": "%s", "pid": 4711},
                 {"name": "orders", "kind": "SERVICE", "url": "%s", "pid": 4712}]
                """.formatted(relay.url(), orders.url()));
        processes.toFile().deleteOnExit();
        storefront = RunningStorefront.start(
                "--storefront.orders-url=" + orders.url(),
                "--storefront.products-url=http://localhost:9",
                "--storefront.customers-url=http://localhost:9",
                "--storefront.processes=" + processes);
        storefront.publish(
                TestEvent.registered("anna", 1, "Anna", "NORTH", 10_000),
                TestEvent.registered(
                        "wolfe", 1, "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh", "SOUTH", 500_000),
                TestEvent.added("chair", 1, "Chair", 7_890),
                TestEvent.added("lamp", 1, "Lamp", TestEvent.LAMP_CENTS));
    }

    @AfterAll
    static void stop() throws IOException {
        storefront.close();
        orders.close();
        relay.close();
    }

    @BeforeEach
    void publish() {
        relay.on(READY, 200, "{\"status\": \"ready\"}");
        orders.on(OUTBOX, 200, """
                {"waiting": 0, "oldest_seconds": null, "lanes": [{"lane": 0, "relay": "relay-1"}, {"lane": 1, "relay": null}]}
                """);
    }

    @Test
    void an_order_is_placed_watched_and_paid_by_keyboard_alone() throws Exception {
        orders.on("POST /orders", exchange -> {
            exchange.getResponseHeaders().set("Location", "/orders/" + order);
            ScriptedServer.send(exchange, 202, "{}");
        });
        orders.on("POST /orders/" + order + "/payment", exchange -> exchange.sendResponseHeaders(204, -1));

        try (Browser browser = Browser.open(storefront.url(), DESK, 900)) {
            soon(() -> assertThat(browser.texts("#product option")).hasSize(2));
            browser.press(Keys.TAB, Keys.ENTER, Keys.TAB);
            assertThat(browser.focus()).isEqualTo("customer");
            browser.press("Anna");
            soon(() -> assertThat(browser.text("credit")).isEqualTo("€100.00 of €100.00 credit available"));
            browser.press(Keys.TAB);
            assertThat(browser.focus()).isEqualTo("product");
            browser.press("Lamp", Keys.TAB);
            assertThat(browser.focus()).isEqualTo("quantity");
            browser.press(Keys.ARROW_UP, Keys.TAB);
            assertThat(browser.text("total")).isEqualTo("€39.80");
            assertThat(browser.focus()).isEqualTo("place-order");
            browser.press(Keys.ENTER);

            soon(() -> assertThat(browser.focus()).isEqualTo("saga-title"));
            assertThat(browser.text("saga-title")).isEqualTo("Order " + order.substring(0, 8));
            assertThat(browser.text("state")).isEqualTo("not yet arrived");
            assertThat(browser.text("summary")).isEqualTo("2 × Lamp for Anna, €39.80");
            soon(() -> assertThat(browser.texts("#region-customers .pending"))
                    .singleElement()
                    .asString()
                    .contains(order.substring(0, 8), "€39.80", "not yet arrived"));
            assertThat(orders.requests())
                    .contains("POST /orders {\"customer_id\":\"anna\","
                            + "\"lines\":[{\"product_id\":\"lamp\",\"quantity\":2}]}");

            storefront.publish(TestEvent.placed(order, 1, "anna"), TestEvent.stockRequested(order, 2));
            soon(() -> assertThat(steps(browser)).containsExactly("Order placed", "Requests stock reservation"));
            assertThat(browser.text("state")).isEqualTo("waiting for stock");
            soon(() -> assertThat(browser.texts("#region-customers .pending")).isEmpty());

            storefront.publish(TestEvent.stockReserved(order, 3), TestEvent.creditRequested(order, 4, "anna"));
            soon(() -> assertThat(browser.text("state")).isEqualTo("waiting for credit"));

            storefront.publish(
                    TestEvent.creditReserved("anna", 5, order, 8_010), TestEvent.confirmed(order, 6, "anna"));
            soon(() -> assertThat(browser.text("state")).isEqualTo("confirmed"));
            assertThat(steps(browser))
                    .containsExactly(
                            "Order placed",
                            "Requests stock reservation",
                            "Stock reserved",
                            "Requests credit reservation",
                            "Credit reserved",
                            "Order confirmed");
            soon(() -> assertThat(browser.text("credit")).isEqualTo("€80.10 of €100.00 credit available"));

            for (int stop = 0; stop < 10 && !"card".equals(browser.focus()); stop++) {
                browser.press(Keys.TAB);
            }
            assertThat(browser.focus()).isEqualTo("card");
            browser.press(Keys.ENTER);
            soon(() -> assertThat(orders.requests())
                    .contains("POST /orders/" + order + "/payment {\"card\":\"4000-0000-0000-0001\"}"));
            storefront.publish(TestEvent.paid(order, 7, "anna"));
            soon(() -> assertThat(browser.text("state")).isEqualTo("paid"));
            storefront.publish(TestEvent.creditReleased("anna", 8, order, 8_010));
            soon(() -> assertThat(steps(browser)).endsWith("Order paid", "Reservation closed (paid)"));
            assertThat(browser.complaints()).isEmpty();
        }
    }

    @Test
    void a_refusal_of_the_orders_service_is_shown_in_its_words() throws Exception {
        orders.on("POST /orders", 422, "{\"detail\":\"The customer anna is not known here yet\"}");

        try (Browser browser = Browser.open(storefront.url(), DESK, 900)) {
            soon(() -> assertThat(browser.texts("#product option")).hasSize(2));
            browser.press(Keys.TAB, Keys.ENTER, Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER);

            soon(() -> assertThat(browser.text("order-fault")).isEqualTo("The customer anna is not known here yet"));
            assertThat(browser.focus()).isEqualTo("quantity");
        }
    }

    @Test
    void a_refused_order_is_placed_again_with_the_same_key() throws Exception {
        orders.on("POST /orders", 422, "{\"detail\":\"The customer anna is not known here yet\"}");

        try (Browser browser = Browser.open(storefront.url(), DESK, 900)) {
            soon(() -> assertThat(browser.texts("#product option")).hasSize(2));
            browser.press(Keys.TAB, Keys.ENTER, Keys.TAB, Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER);
            soon(() -> assertThat(browser.text("order-fault")).isEqualTo("The customer anna is not known here yet"));
            orders.on("POST /orders", exchange -> {
                exchange.getResponseHeaders().set("Location", "/orders/" + order);
                ScriptedServer.send(exchange, 202, "{}");
            });

            assertThat(browser.focus()).isEqualTo("place-order");
            browser.press(Keys.ENTER);
            soon(() -> assertThat(browser.focus()).isEqualTo("saga-title"));
        }
    }

    @Test
    void on_a_phone_nothing_is_wider_than_the_screen() throws Exception {
        storefront.publish(
                TestEvent.placed(order, 1, "wolfe"),
                TestEvent.creditRejected("wolfe", 2, order, CreditRejection.CREDIT_EXCEEDED),
                TestEvent.rejected(order, 3, "wolfe", OrderRejection.CREDIT_EXCEEDED));

        try (Browser browser = Browser.open(storefront.url().resolve("/#order=" + order), PHONE, 740)) {
            soon(() -> assertThat(browser.text("state")).startsWith("rejected: not enough credit"));
            soon(() -> assertThat(browser.texts("#region option")).contains("SOUTH"));
            browser.evaluate("document.getElementById('region').focus()");
            browser.press("SOUTH");
            soon(() -> assertThat(browser.text("region-customers")).contains(order.substring(0, 8)));
            browser.evaluate("document.getElementById('owners').open = true");

            assertThat(browser.widerThanTheScreen()).isEmpty();
        }
    }

    @Test
    void before_the_first_answer_nothing_is_marked_and_the_banner_has_its_place() throws Exception {
        assertThat(storefront.get("/").body())
                .contains("<p id=\"banner\" class=\"banner\" role=\"status\"></p>")
                .doesNotContain("class=\"stale\"");
    }

    @Test
    void the_way_of_each_event_is_shown_from_the_outbox_to_the_view() throws Exception {
        TestEvent placed = TestEvent.placed(order, 1, "anna");
        TestEvent requested = TestEvent.stockRequested(order, 2);
        orders.on(OUTBOX + events("order", order), 200, """
                {"events": [
                 {"event_id": "%s", "event": "OrderPlaced", "lane": 0, "state": "confirmed", "reason": null,
                  "written_at": "%s", "confirmed_at": "%s"},
                 {"event_id": "%s", "event": "StockReservationRequested", "lane": 1, "state": "waiting", "reason": null,
                  "written_at": "%s", "confirmed_at": null}]}
                """.formatted(
                        placed.id(),
                        TestEvent.BEGINNING.plusSeconds(1),
                        TestEvent.BEGINNING.plusSeconds(1).plusMillis(14),
                        requested.id(),
                        TestEvent.BEGINNING.plusSeconds(2)));
        storefront.publish(placed);

        try (Browser browser = Browser.open(storefront.url().resolve("/#order=" + order), DESK, 900)) {
            soon(() -> assertThat(steps(browser)).containsExactly("Order placed", "Requests stock reservation"));
            soon(() -> assertThat(browser.texts("#steps li:first-child dd"))
                    .startsWith("start", "lane 0", "14 ms")
                    .last()
                    .asString()
                    .matches("\\d+ (ms|s|min|h)"));
            soon(() -> assertThat(browser.texts("#steps li.pending dd"))
                    .containsExactly("+1.00 s", "lane 1, no relay", "waiting", "not yet"));

            storefront.publish(requested);
            soon(() -> assertThat(browser.texts("#steps li.pending")).isEmpty());

            browser.evaluate("document.querySelector('#steps .pattern').focus()");
            browser.press(Keys.ENTER);
            soon(() -> assertThat(browser.text("pattern-text")).contains("Only events write the replicas"));
            assertThat(browser.text("pattern-code"))
                    .isEqualTo(
                            "Checkout\nsample-services/orders/src/main/java/io/outboxrelay/samples/orders/Checkout.java");
            browser.press(Keys.ESCAPE);
            assertThat(browser.evaluate("document.activeElement.className")).isEqualTo("pattern");
            assertThat(browser.complaints()).isEmpty();
        }
    }

    @Test
    void relays_lanes_and_the_commands_that_break_processes_are_shown_and_nothing_moves_when_no_relay_publishes()
            throws Exception {
        String top = "document.querySelector('main').getBoundingClientRect().top";

        try (Browser browser = Browser.open(storefront.url(), DESK, 900)) {
            soon(() -> assertThat(browser.texts("#lanes tbody tr"))
                    .contains("orders 0 1 0", "products ? ? not running", "customers ? ? not running"));
            assertThat(browser.texts("#lanes thead th"))
                    .containsExactly("Outbox", "relay-1", "no relay", "waiting, oldest");
            assertThat(browser.texts("#processes .process")).containsExactly("relay-1\nrunning", "orders\nrunning");
            assertThat(browser.texts("#processes .command"))
                    .startsWith("kill -9 4711", "kill -STOP 4711", "kill -CONT 4711");
            browser.evaluate("document.querySelector('#processes .command').focus()");
            browser.press(Keys.ENTER);
            soon(() -> assertThat(browser.text("copied")).contains("kill -9 4711"));
            Object before = browser.evaluate(top);

            relay.hangsOn(READY);
            soon(() -> assertThat(browser.text("banner")).startsWith("No relay is publishing."));
            assertThat(browser.texts("#processes .process")).startsWith("relay-1\nno answer");
            assertThat(browser.evaluate(top)).isEqualTo(before);
            assertThat(browser.complaints()).isEmpty();
        }
    }

    @Test
    void an_order_of_a_customer_without_events_is_shown_without_a_name() throws Exception {
        storefront.publish(TestEvent.placed(order, 1, UUID.randomUUID().toString()));

        try (Browser browser = Browser.open(storefront.url().resolve("/#order=" + order), DESK, 900)) {
            soon(() -> assertThat(browser.text("summary")).isEqualTo("1 × Lamp, €19.90"));
        }
    }

    @Test
    void a_stale_view_is_marked_and_named() throws Exception {
        storefront.owner().sql("DELETE FROM freshness").update();

        try (Browser browser = Browser.open(storefront.url(), DESK, 900)) {
            storefront.publish(
                    TestEvent.heartbeatOfCustomers(1, Instant.now().minusSeconds(600)),
                    TestEvent.heartbeatOfProducts(1, Instant.now().plusSeconds(600)));

            soon(() -> assertThat(browser.text("ages")).contains("stale, 10 min old", "no data yet"));
            assertThat(browser.text("banner")).startsWith("Stale: customers, orders, regions.");
            assertThat(browser.texts("#ages .stale")).hasSize(3);
        }
    }

    @Test
    void the_page_follows_the_preferences_for_dark_colours_and_reduced_motion() throws Exception {
        storefront.publish(TestEvent.placed(order, 1, "anna"));
        String background = "getComputedStyle(document.body).backgroundColor";
        String animation = "getComputedStyle(document.querySelector('#steps li')).animationName";

        try (Browser browser = Browser.open(storefront.url().resolve("/#order=" + order), DESK, 900)) {
            soon(() -> assertThat(steps(browser)).hasSize(1));
            browser.prefer("prefers-color-scheme", "light");
            assertThat(browser.evaluate(background)).isEqualTo("rgb(246, 247, 246)");
            assertThat(browser.evaluate(animation)).isEqualTo("appear");
            browser.prefer("prefers-color-scheme", "dark");
            assertThat(browser.evaluate(background)).isEqualTo("rgb(18, 23, 21)");
            browser.prefer("prefers-reduced-motion", "reduce");
            assertThat(browser.evaluate(animation)).isEqualTo("none");
        }
    }

    @Test
    void the_browser_may_run_nothing_but_the_pages_own_script() throws Exception {
        assertThat(storefront.get("/").headers().firstValue("Content-Security-Policy"))
                .hasValueSatisfying(policy -> assertThat(policy)
                        .startsWith("default-src 'none'; script-src 'self'; style-src 'self'")
                        .doesNotContain("unsafe"));
        assertThat(storefront.get("/").body()).doesNotContain("style=", "onclick", "http://", "https://");
    }

    private static String events(String aggregateType, String aggregateId) {
        return "/events?aggregate_type=%s&aggregate_id=%s".formatted(aggregateType, aggregateId);
    }

    private static List<String> steps(Browser browser) {
        return browser.texts("#steps li > span:first-child");
    }

    private static void soon(ThrowingRunnable assertion) {
        await().atMost(RunningStorefront.SOON).ignoreExceptions().untilAsserted(assertion);
    }
}
