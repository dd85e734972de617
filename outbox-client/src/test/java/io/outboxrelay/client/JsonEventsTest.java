package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

@ParameterizedClass
@MethodSource("mappers")
class JsonEventsTest {

    @Parameter
    Json json;

    static Stream<Json> mappers() {
        return Stream.of(
                new Jackson3Json(new JsonMapper()),
                new Jackson2Json(new com.fasterxml.jackson.databind.ObjectMapper()));
    }

    record Placed(String customer, int total) {}

    record Prices(Map<String, Integer> byCustomer) {}

    /** Refuses a value, and quotes it. */
    record Strict(String customer) {

        Strict {
            throw new IllegalArgumentException(customer + " is refused");
        }
    }

    /** Cannot be written. */
    public static final class Broken {

        public String getName() {
            throw new IllegalStateException("on purpose");
        }
    }

    @Test
    void an_event_is_made_of_an_object_and_read_again() {
        JsonEvents events = new JsonEvents(json);

        OutboxEvent event = events.eventType("OrderPlaced")
                .aggregateType("Order")
                .aggregateId("4711")
                .payload(new Placed("7", 1250));

        assertThat(event)
                .isEqualTo(OutboxEvent.eventType("OrderPlaced")
                        .aggregateType("Order")
                        .aggregateId("4711")
                        .payload("{\"customer\":\"7\",\"total\":1250}".getBytes(), "application/json"));
        assertThat(events.read(received(new String(event.payload()), "application/json"), Placed.class))
                .isEqualTo(new Placed("7", 1250));
    }

    @Test
    void a_body_that_says_it_is_json_in_any_way_is_read() {
        for (String contentType : new String[] {"application/json; charset=utf-8", "application/vnd.shop+json", null}) {
            assertThat(new JsonEvents(json)
                            .read(received("{\"customer\":\"7\",\"total\":1}", contentType), Placed.class))
                    .isEqualTo(new Placed("7", 1));
        }
    }

    @Test
    void a_body_that_cannot_be_read_is_rejected_with_the_place_and_without_a_value() {
        JsonEvents events = new JsonEvents(json);

        assertThatThrownBy(() -> events.read(received("{\"total\":\"secret\"}", null), Placed.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("OrderPlaced of Order 4711")
                .hasMessageContaining("InvalidFormatException in line 1, column 10")
                .hasMessageContaining("[\"total\"]")
                .hasMessageNotContaining("secret")
                .hasNoCause();
        assertThatThrownBy(() -> events.read(received("secret", null), Placed.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> events.read(received("null", null), Placed.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageEndingWith("cannot be used: it is null");
        assertThatThrownBy(() -> events.read(received("{}", "application/avro"), Placed.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("is not JSON but application/avro");
    }

    @Test
    void the_place_names_no_key_that_only_the_payload_has() {
        JsonEvents events = new JsonEvents(json);

        assertThatThrownBy(() -> events.read(received("{\"byCustomer\":{\"secret\\n\":\"x\"}}", null), Prices.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageEndingWith(", at [\"byCustomer\"][*]");
        assertThatThrownBy(() -> events.read(received("{\"customer\":\"7\",\"secret\":[1]}", null), Placed.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageNotContaining("secret");
    }

    @Test
    void what_the_types_own_constructor_says_goes_no_further() {
        for (Json each : new Json[] {
            json,
            new Jackson3Json(JsonMapper.builder()
                    .disable(tools.jackson.databind.DeserializationFeature.WRAP_EXCEPTIONS)
                    .build()),
            new Jackson2Json(new com.fasterxml.jackson.databind.ObjectMapper()
                    .disable(com.fasterxml.jackson.databind.DeserializationFeature.WRAP_EXCEPTIONS))
        }) {
            assertThatThrownBy(
                            () -> new JsonEvents(each).read(received("{\"customer\":\"secret\"}", null), Strict.class))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("cannot be used: the JSON cannot be read as ")
                    .hasMessageNotContaining("secret");
        }
    }

    @Test
    void an_object_that_cannot_be_written_is_an_error_where_the_event_is_made() {
        assertThatThrownBy(() -> new JsonEvents(json)
                        .eventType("OrderPlaced")
                        .aggregateType("Order")
                        .aggregateId("4711")
                        .payload(new Broken()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(Broken.class.getName() + " cannot be written as JSON: ");
    }

    static ReceivedEvent received(String payload, @Nullable String contentType) {
        return new ReceivedEvent(
                UUID.randomUUID(),
                "OrderPlaced",
                "Order",
                "4711",
                payload.getBytes(StandardCharsets.UTF_8),
                contentType,
                Map.of(),
                null,
                false);
    }
}
