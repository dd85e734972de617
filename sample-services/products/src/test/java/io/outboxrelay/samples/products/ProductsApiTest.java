package io.outboxrelay.samples.products;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.JsonNode;

/** The service as others see it over HTTP. */
@Tag("server")
class ProductsApiTest {

    private static final String LAMP = """
            {"name": "Lamp", "price_cents": 1990, "currency": "EUR", "stock": 10}
            """;

    private static RunningProducts service;
    private static RestClient http;

    @BeforeAll
    static void start() {
        service = new RunningProducts();
        http = service.http();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @Test
    void an_added_product_is_found_at_the_location_in_the_answer() {
        ResponseEntity<JsonNode> added = send(HttpMethod.POST, "/products", LAMP);

        assertThat(added.getStatusCode().value()).isEqualTo(201);
        String lamp = String.valueOf(added.getHeaders().getLocation());
        assertThat(get(lamp)).isEqualTo(added.getBody());
        assertThat(get(lamp).toString()).isEqualTo("""
                {"product_id":"%s","version":1,"name":"Lamp","price_cents":1990,"currency":"EUR","stock":10,"reserved":0}""".formatted(lamp.substring("/products/".length())));
        assertThat(get("/products").valueStream()).contains(get(lamp));
    }

    @Test
    void a_product_can_be_changed_and_delivered() {
        String lamp = add();

        send(HttpMethod.PUT, lamp, """
                {"name": "Small lamp", "price_cents": 990, "currency": "EUR"}
                """);
        send(HttpMethod.POST, lamp + "/deliveries", """
                {"quantity": 5}
                """);

        assertThat(get(lamp).get("name").asString()).isEqualTo("Small lamp");
        assertThat(get(lamp).get("price_cents").asLong()).isEqualTo(990);
        assertThat(get(lamp).get("stock").asLong()).isEqualTo(15);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name | '' | name must be given, not ''",
                "name | null | name must be given",
                "price_cents | -1 | price_cents must be 0 or more, not '-1'",
                "price_cents | null | price_cents must be given",
                "price_cents | cheap | price_cents must be an integer, not 'cheap'",
                "currency | euro | currency must be three capital letters such as EUR, not 'euro'",
                "currency | null | currency must be given",
                "stock | -1 | stock must be 0 or more, not '-1'",
                "stock | 1000001 | stock must be at most 1000000, not '1000001'",
                "stock | null | stock must be given",
            })
    void an_invalid_field_is_named_with_its_value_and_the_rule(String field, String value, String detail) {
        String json = value.matches("null|-?[0-9]+") ? value : "\"" + value + "\"";
        String body =
                LAMP.replaceFirst("\"%s\": (\"[^\"]*\"|[0-9]+)".formatted(field), "\"%s\": %s".formatted(field, json));

        JsonNode problem = refused(400, send(HttpMethod.POST, "/products", body));

        assertThat(problem.get("detail").asString()).isEqualTo(detail);
    }

    @ParameterizedTest
    @CsvSource({"0, must be 1 or more", "1000001, must be at most 1000000"})
    void a_delivery_of_nothing_or_of_far_too_much_is_refused(String quantity, String message) {
        JsonNode problem =
                refused(400, send(HttpMethod.POST, add() + "/deliveries", "{\"quantity\": %s}".formatted(quantity)));

        assertThat(problem.get("detail").asString()).isEqualTo("quantity %s, not '%s'".formatted(message, quantity));
    }

    @ParameterizedTest
    @CsvSource({"GET, /products/nothing", "PUT, /products/nothing", "POST, /products/nothing/deliveries"})
    void a_missing_product_is_named(HttpMethod method, String path) {
        String body = """
                {"name": "Lamp", "price_cents": 1990, "currency": "EUR", "quantity": 1}
                """;

        JsonNode problem = refused(404, send(method, path, body));

        assertThat(problem.get("detail").asString()).contains("no product nothing");
        assertThat(problem.get("instance").asString()).isEqualTo(path);
    }

    /** There is no relay here; the test does what one does. */
    @Test
    void the_api_shows_where_an_event_is_and_who_owns_its_lane() {
        String lamp = add().substring("/products/".length());
        String events = "/outbox/events?aggregate_type=product&aggregate_id=" + lamp;
        assertThat(get("/outbox").get("waiting").asLong()).isPositive();
        assertThat(get("/outbox").get("oldest_seconds").asDouble()).isNotNegative();
        assertThat(get("/outbox").get("lanes"))
                .hasSize(8)
                .allMatch(lane -> lane.get("relay").isNull());
        JsonNode waiting = get(events).get("events").get(0);
        assertThat(waiting.get("state").asString()).isEqualTo("waiting");
        assertThat(waiting.get("event").asString()).isEqualTo("ProductAdded");
        assertThat(waiting.get("confirmed_at").isNull()).isTrue();

        service.admin()
                .sql("UPDATE outbox_lane SET owner = 'relay-1#a', lease_from = utc_timestamp(6),"
                        + " lease_until = utc_timestamp(6) + INTERVAL (CASE lane WHEN 0 THEN -1 ELSE 1 END) HOUR")
                .update();
        String row =
                "lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,"
                        + " occurred_at";
        service.admin()
                .sql("INSERT INTO outbox_published (%s) SELECT %s FROM outbox WHERE aggregate_id = :lamp"
                        .formatted(row, row))
                .param("lamp", lamp)
                .update();
        service.admin()
                .sql("DELETE FROM outbox WHERE aggregate_id = :lamp")
                .param("lamp", lamp)
                .update();

        assertThat(get("/outbox").get("lanes").get(0).get("relay").isNull()).isTrue();
        assertThat(get("/outbox").get("lanes").get(1).get("relay").asString()).isEqualTo("relay-1");
        JsonNode confirmed = get(events).get("events").get(0);
        assertThat(get(events).get("events")).hasSize(1);
        assertThat(confirmed.get("event_id")).isEqualTo(waiting.get("event_id"));
        assertThat(confirmed.get("state").asString()).isEqualTo("confirmed");
        assertThat(Instant.parse(confirmed.get("confirmed_at").asString()))
                .isAfter(Instant.parse(confirmed.get("written_at").asString()));
    }

    @Test
    void the_openapi_document_has_every_path_and_the_names_of_the_json() {
        JsonNode document = get("/v3/api-docs");

        assertThat(document.at("/info/title").asString()).isEqualTo("Products");
        assertThat(document.get("paths").propertyNames())
                .containsExactlyInAnyOrder(
                        "/products",
                        "/products/{productId}",
                        "/products/{productId}/deliveries",
                        "/outbox",
                        "/outbox/events");
        assertThat(document.at("/components/schemas/Product/properties").propertyNames())
                .containsExactlyInAnyOrder(
                        "product_id", "version", "name", "price_cents", "currency", "stock", "reserved");
    }

    private static String add() {
        return String.valueOf(
                send(HttpMethod.POST, "/products", LAMP).getHeaders().getLocation());
    }

    private static JsonNode get(String path) {
        return http.get().uri(path).retrieve().body(JsonNode.class);
    }

    private static ResponseEntity<JsonNode> send(HttpMethod method, String path, String body) {
        RestClient.RequestBodySpec request = http.method(method).uri(path).contentType(MediaType.APPLICATION_JSON);
        return method == HttpMethod.GET
                ? request.retrieve().toEntity(JsonNode.class)
                : request.body(body).retrieve().toEntity(JsonNode.class);
    }

    private static JsonNode refused(int status, ResponseEntity<JsonNode> answer) {
        assertThat(answer.getStatusCode().value()).isEqualTo(status);
        assertThat(answer.getHeaders().getContentType()).isEqualTo(MediaType.APPLICATION_PROBLEM_JSON);
        return answer.getBody();
    }
}
