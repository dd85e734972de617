package io.outboxrelay.samples.customers;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.JsonNode;

/** The service as others see it over HTTP. */
@Tag("server")
class CustomersApiTest {

    private static final String ANNA = """
            {"name": "Anna", "email": "anna@example.org", "region": "NORTH", "country": "SE", "credit_limit_cents": 50000}
            """;

    private static RunningCustomers service;
    private static RestClient http;

    @BeforeAll
    static void start() {
        service = new RunningCustomers();
        http = service.http();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @Test
    void a_registered_customer_is_found_at_the_location_in_the_answer() {
        ResponseEntity<JsonNode> registered = send(HttpMethod.POST, "/customers", ANNA);

        assertThat(registered.getStatusCode().value()).isEqualTo(201);
        JsonNode found = get(String.valueOf(registered.getHeaders().getLocation()));
        assertThat(found).isEqualTo(registered.getBody());
        assertThat(found.get("name").asString()).isEqualTo("Anna");
        assertThat(found.get("country").asString()).isEqualTo("SE");
        assertThat(found.get("credit_limit_cents").asLong()).isEqualTo(50_000);
        assertThat(found.get("version").asInt()).isEqualTo(1);
    }

    @Test
    void a_customer_can_be_changed_and_given_another_limit() {
        String anna = "/customers/" + register(ANNA);

        send(HttpMethod.PUT, anna, """
                {"name": "Anna B.", "email": "anna@example.org", "region": "SOUTH"}
                """);
        send(HttpMethod.PUT, anna + "/credit-limit", """
                {"credit_limit_cents": 70000}
                """);

        assertThat(get(anna).get("name").asString()).isEqualTo("Anna B.");
        assertThat(get(anna).get("country").isNull()).isTrue();
        assertThat(get(anna + "/credit").toString()).isEqualTo("""
                {"customer_id":"%s","credit_limit_cents":70000,"reserved_cents":0,"available_cents":70000}""".formatted(anna.substring("/customers/".length())));
    }

    @Test
    void customers_are_listed_by_region() {
        String east = register(ANNA.replace("NORTH", "EAST"));
        register(ANNA.replace("NORTH", "WEST"));

        JsonNode listed = get("/customers?region=EAST");

        assertThat(listed.size()).isEqualTo(1);
        assertThat(listed.get(0).get("customer_id").asString()).isEqualTo(east);
        assertThat(get("/customers").size()).isGreaterThan(1);
    }

    @Test
    void countries_and_currencies_can_be_read_and_added() {
        send(HttpMethod.PUT, "/currencies/DKK", """
                {"name": "Danish krone", "minor_digits": 2}
                """);
        send(HttpMethod.PUT, "/countries/DK", """
                {"name": "Denmark", "currency": "DKK"}
                """);

        assertThat(get("/currencies").valueStream().map(one -> one.get("code").asString()))
                .contains("DKK", "EUR");
        assertThat(get("/countries").valueStream().map(one -> one.get("code").asString()))
                .contains("DK", "DE");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name | '' | name must be given, not ''",
                "name | null | name must be given",
                "email | anna | email must be an address such as anna@example.org, not 'anna'",
                "email | null | email must be given",
                "region | North | region must be a name in capitals such as NORTH, not 'North'",
                "region | null | region must be given",
                "country | sweden | country must be two capital letters such as DE, not 'sweden'",
                "credit_limit_cents | -1 | credit_limit_cents must be 0 or more, not '-1'",
                "credit_limit_cents | null | credit_limit_cents must be given",
                "credit_limit_cents | lots | credit_limit_cents must be an integer, not 'lots'",
                "credit_limit_cents | 1e30 | credit_limit_cents must be an integer",
            })
    void an_invalid_field_is_named_with_its_value_and_the_rule(String field, String value, String detail) {
        String json = value.matches("null|-?[0-9].*") ? value : "\"" + value + "\"";
        String body =
                ANNA.replaceFirst("\"%s\": (\"[^\"]*\"|[0-9]+)".formatted(field), "\"%s\": %s".formatted(field, json));

        JsonNode problem = refused(400, send(HttpMethod.POST, "/customers", body));

        assertThat(problem.get("detail").asString()).startsWith(detail);
        assertThat(problem.get("faults").get(0).get("field").asString()).isEqualTo(field);
    }

    @Test
    void all_faults_are_reported_at_once() {
        JsonNode problem = refused(400, send(HttpMethod.POST, "/customers", "{}"));

        assertThat(problem.get("faults")
                        .valueStream()
                        .map(fault -> fault.get("field").asString()))
                .containsExactlyInAnyOrder("name", "email", "region", "credit_limit_cents");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "\"Anna\"", "nonsense"})
    void a_body_that_is_not_a_json_object_is_refused_with_an_explanation(String body) {
        JsonNode problem = refused(400, send(HttpMethod.POST, "/customers", body));

        assertThat(problem.get("detail").asString()).startsWith("The body is ");
    }

    @ParameterizedTest
    @CsvSource({"PUT, /countries/Denmark", "PUT, /currencies/kr"})
    void an_invalid_code_is_named(HttpMethod method, String path) {
        String body = """
                {"name": "Denmark", "currency": "EUR", "minor_digits": 2}
                """;

        JsonNode problem = refused(400, send(method, path, body));

        assertThat(problem.get("detail").asString())
                .startsWith("code must be")
                .endsWith("not '%s'".formatted(path.substring(path.lastIndexOf('/') + 1)));
    }

    @Test
    void a_country_or_currency_that_the_shop_does_not_have_is_named() {
        JsonNode country = refused(422, send(HttpMethod.POST, "/customers", ANNA.replace("SE", "ZZ")));
        JsonNode currency = refused(422, send(HttpMethod.PUT, "/countries/ZZ", """
                {"name": "Nowhere", "currency": "ZZZ"}
                """));

        assertThat(country.get("detail").asString()).contains("country ZZ", "GET /countries");
        assertThat(currency.get("detail").asString()).contains("currency ZZZ", "GET /currencies");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /customers/nobody",
        "GET, /customers/nobody/credit",
        "PUT, /customers/nobody",
        "PUT, /customers/nobody/credit-limit"
    })
    void a_missing_customer_is_named(HttpMethod method, String path) {
        JsonNode problem = refused(404, send(method, path, ANNA));

        assertThat(problem.get("detail").asString()).contains("no customer nobody");
        assertThat(problem.get("instance").asString()).isEqualTo(path);
    }

    @Test
    void an_unsupported_version_of_the_api_is_refused_with_both_versions() {
        ResponseEntity<JsonNode> served = http.get()
                .uri("/customers")
                .header("Accept-Version", "1")
                .retrieve()
                .toEntity(JsonNode.class);
        ResponseEntity<JsonNode> future = http.get()
                .uri("/customers")
                .header("Accept-Version", "2")
                .retrieve()
                .toEntity(JsonNode.class);

        assertThat(served.getStatusCode().value()).isEqualTo(200);
        assertThat(refused(406, future).get("detail").asString()).contains("version 1", "not 2");
    }

    /** There is no relay here; the test does what one does. */
    @Test
    void the_api_shows_where_an_event_is_and_who_owns_its_lane() {
        String anna = register(ANNA);
        String events = "/outbox/events?aggregate_type=customer&aggregate_id=" + anna;
        assertThat(get("/outbox").get("waiting").asLong()).isPositive();
        assertThat(get("/outbox").get("oldest_seconds").asDouble()).isNotNegative();
        assertThat(get("/outbox").get("lanes"))
                .hasSize(8)
                .allMatch(lane -> lane.get("relay").isNull());
        JsonNode waiting = get(events).get("events").get(0);
        assertThat(waiting.get("state").asString()).isEqualTo("waiting");
        assertThat(waiting.get("event").asString()).isEqualTo("CustomerRegistered");
        assertThat(waiting.get("confirmed_at").isNull()).isTrue();

        String row =
                "lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,"
                        + " occurred_at";
        service.admin().sql("""
                INSERT INTO outbox_failure (%s, state, attempts, reason)
                SELECT %s, 'parked', 1, 'unroutable' FROM outbox WHERE aggregate_id = :anna
                """.formatted(row, row)).param("anna", anna).update();
        service.admin()
                .sql("DELETE FROM outbox WHERE aggregate_id = :anna")
                .param("anna", anna)
                .update();
        assertThat(get(events).get("events").get(0).get("state").asString()).isEqualTo("parked");
        assertThat(get(events).get("events").get(0).get("reason").asString()).isEqualTo("unroutable");

        service.admin().sql("""
                UPDATE outbox_lane SET owner = 'relay-1#a', lease_from = now(),
                    lease_until = now() + CASE lane WHEN 0 THEN -1 ELSE 1 END * interval '1 hour'
                """).update();
        service.admin().sql("""
                INSERT INTO outbox_published (%s) SELECT %s FROM outbox_failure WHERE aggregate_id = :anna
                """.formatted(row, row)).param("anna", anna).update();
        service.admin()
                .sql("DELETE FROM outbox_failure WHERE aggregate_id = :anna")
                .param("anna", anna)
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

        assertThat(document.at("/info/title").asString()).isEqualTo("Customers");
        assertThat(document.get("paths").propertyNames())
                .containsExactlyInAnyOrder(
                        "/customers",
                        "/customers/{customerId}",
                        "/customers/{customerId}/credit",
                        "/customers/{customerId}/credit-limit",
                        "/countries",
                        "/countries/{code}",
                        "/currencies",
                        "/currencies/{code}",
                        "/outbox",
                        "/outbox/events");
        assertThat(document.at("/components/schemas/Credit/properties").propertyNames())
                .containsExactlyInAnyOrder("customer_id", "credit_limit_cents", "reserved_cents", "available_cents");
    }

    @Test
    void health_and_metrics_are_served_and_nothing_else_of_the_actuator() {
        assertThat(http.get()
                        .uri("/actuator/health")
                        .retrieve()
                        .toBodilessEntity()
                        .getStatusCode()
                        .value())
                .isEqualTo(200);
        assertThat(http.get().uri("/actuator/prometheus").retrieve().body(String.class))
                .contains("jvm_memory_used_bytes");
        assertThat(http.get()
                        .uri("/actuator/env")
                        .retrieve()
                        .toBodilessEntity()
                        .getStatusCode()
                        .value())
                .isEqualTo(404);
    }

    private static String register(String body) {
        ResponseEntity<JsonNode> registered = send(HttpMethod.POST, "/customers", body);
        return registered.getBody().get("customer_id").asString();
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
