package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.samples.customers.client.CustomersClient;
import io.outboxrelay.samples.storefront.ComposedOrder.Credit;
import io.outboxrelay.samples.storefront.ComposedOrder.Customer;
import io.outboxrelay.samples.storefront.ComposedOrder.Line;
import io.outboxrelay.samples.storefront.ComposedOrder.Missing;
import io.outboxrelay.samples.storefront.ComposedOrder.Product;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** One order from three scripted services. */
class CompositionTest {

    private static final String ORDER = "GET /orders/4711";
    private static final String ANNA = "GET /customers/anna";
    private static final String CREDIT = "GET /customers/anna/credit";
    private static final String LAMP = "GET /products/lamp";
    private static final String CHAIR = "GET /products/chair";

    private static final Product LAMP_NOW = new Product("Lamp", 2_190, "EUR", 17, 2);
    private static final Product CHAIR_NOW = new Product("Chair", 7_890, "EUR", 3, 1);

    private static final Duration LONG = Duration.ofMinutes(1);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private ScriptedServer orders;
    private ScriptedServer customers;
    private ScriptedServer products;

    @BeforeEach
    void start() throws IOException {
        orders = ScriptedServer.start().on(ORDER, 200, """
                {"order_id": "4711", "version": 4, "state": "confirmed", "reason": null, "customer_id": "anna",
                 "amount_cents": 11870, "currency": "EUR", "lines": [
                  {"product_id": "lamp", "name": "Lamp", "quantity": 2, "price_cents": 1990},
                  {"product_id": "chair", "name": "Chair", "quantity": 1, "price_cents": 7890}]}
                """);
        customers = ScriptedServer.start().on(ANNA, 200, """
                        {"customer_id": "anna", "version": 3, "name": "Anna", "email": "anna@example.org",
                         "region": "NORTH", "country": "DE", "credit_limit_cents": 50000}
                        """).on(CREDIT, 200, """
                        {"customer_id": "anna", "credit_limit_cents": 50000, "reserved_cents": 11870,
                         "available_cents": 38130}
                        """);
        products = ScriptedServer.start().on(LAMP, 200, """
                        {"product_id": "lamp", "name": "Lamp", "price_cents": 2190, "currency": "EUR", "stock": 17,
                         "reserved": 2}
                        """).on(CHAIR, 200, """
                        {"product_id": "chair", "name": "Chair", "price_cents": 7890, "currency": "EUR", "stock": 3,
                         "reserved": 1}
                        """);
    }

    @AfterEach
    void stop() {
        orders.close();
        customers.close();
        products.close();
        threads.shutdownNow();
    }

    @Test
    void an_order_is_composed_from_three_services() {
        ComposedOrder order = compose(LONG, LONG);

        assertThat(order.state()).isEqualTo("confirmed");
        assertThat(order.customer()).isEqualTo(new Customer("Anna", "anna@example.org", "NORTH", "DE"));
        assertThat(order.credit()).isEqualTo(new Credit(50_000, 38_130));
        assertThat(order.lines())
                .containsExactly(
                        new Line("lamp", "Lamp", 2, 1_990, LAMP_NOW), new Line("chair", "Chair", 1, 7_890, CHAIR_NOW));
        assertThat(order.missing()).isEmpty();
    }

    @Test
    void a_slow_part_is_missing_and_the_rest_is_there() {
        products.hangsOn(CHAIR);

        ComposedOrder order = compose(Duration.ofSeconds(2), LONG);

        assertThat(order.customer()).isNotNull();
        assertThat(order.lines()).extracting(Line::product).containsExactly(LAMP_NOW, null);
        assertThat(order.missing())
                .containsExactly(new Missing("product chair", "products", "it did not answer within 2000 ms"));
    }

    @Test
    void after_the_deadline_late_parts_are_missing_however_long_a_call_may_take() {
        products.hangsOn(CHAIR);

        ComposedOrder order = compose(LONG, Duration.ofSeconds(2));

        assertThat(order.lines()).extracting(Line::product).containsExactly(LAMP_NOW, null);
        assertThat(order.missing())
                .containsExactly(new Missing("product chair", "products", "it did not answer within 2000 ms"));
    }

    @Test
    void the_parts_of_a_failing_service_are_missing_with_the_reason() {
        customers.on(ANNA, 500, "").on(CREDIT, 500, "");

        ComposedOrder order = compose(LONG, LONG);

        assertThat(order.customer()).isNull();
        assertThat(order.credit()).isNull();
        assertThat(order.lines()).extracting(Line::product).containsExactly(LAMP_NOW, CHAIR_NOW);
        assertThat(order.missing())
                .containsExactly(
                        new Missing("customer", "customers", "it reported a failure"),
                        new Missing("credit", "customers", "it reported a failure"));
    }

    @Test
    void an_invalid_answer_is_a_missing_part() {
        products.on(LAMP, 200, "<html>");

        assertThat(compose(LONG, LONG).missing())
                .containsExactly(new Missing("product lamp", "products", "its answer is unreadable"));
    }

    @Test
    void parts_unknown_to_their_owner_are_missing() {
        products.on(LAMP, 404, "{}");
        customers.on(ANNA, 404, "{}").on(CREDIT, 404, "{}");

        assertThat(compose(LONG, LONG).missing())
                .containsExactly(
                        new Missing("customer", "customers", "it has no such entry"),
                        new Missing("credit", "customers", "it has no such entry"),
                        new Missing("product lamp", "products", "it has no such entry"));
    }

    @Test
    void without_the_order_no_other_service_is_called() {
        orders.on(ORDER, 500, "");

        assertThatThrownBy(() -> compose(LONG, LONG))
                .isInstanceOf(ServiceUnavailable.class)
                .hasMessage("The orders service is unavailable: it answered with status 500");
        assertThat(customers.requests()).isEmpty();
        assertThat(products.requests()).isEmpty();
    }

    @Test
    void an_unknown_order_is_empty() {
        orders.on(ORDER, 404, "{}");

        assertThat(composition(LONG, LONG).compose("4711")).isEmpty();
    }

    @Test
    void a_part_without_a_free_thread_is_missing() {
        threads.shutdown();

        assertThat(compose(LONG, LONG).missing())
                .hasSize(4)
                .extracting(Missing::reason)
                .containsOnly("the storefront has too many open requests");
    }

    private ComposedOrder compose(Duration timeout, Duration patience) {
        return composition(timeout, patience).compose("4711").orElseThrow();
    }

    private OrderComposition composition(Duration timeout, Duration patience) {
        StorefrontSettings.Calls calls = new StorefrontSettings.Calls(timeout, timeout, 2, Duration.ofMillis(1), LONG);
        return new OrderComposition(
                new RemoteService("orders", orders.url(), calls, http()),
                new CustomersClient(customers.url()),
                new RemoteService("products", products.url(), calls, http()),
                threads,
                patience);
    }

    /** As Spring Boot makes it with the service's settings. */
    private static RestClient.Builder http() {
        JsonMapper json = JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .build();
        return RestClient.builder()
                .configureMessageConverters(converters ->
                        converters.registerDefaults().withJsonConverter(new JacksonJsonHttpMessageConverter(json)));
    }
}
