package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class OutboxEventTest {

    private static final OutboxEvent EVENT = OutboxEvent.eventType("OrderPlaced")
            .aggregateType("order")
            .aggregateId("4711")
            .payload("secret".getBytes(), "text/plain");

    @Test
    void its_text_names_it_and_keeps_payload_and_header_values_out_of_logs() {
        assertThat(EVENT.withHeader("token", "hidden").toString())
                .contains("OrderPlaced", "order", "4711", "6 bytes", "token")
                .doesNotContain("secret", "hidden", "115");
    }

    @Test
    void events_with_equal_payloads_are_equal() {
        OutboxEvent same = OutboxEvent.eventType("OrderPlaced")
                .aggregateType("order")
                .aggregateId("4711")
                .payload("secret".getBytes(), "text/plain");

        assertThat(same).isEqualTo(EVENT).hasSameHashCodeAs(EVENT);
        assertThat(EVENT.withHeader("a", "b")).isNotEqualTo(EVENT);
    }

    @Test
    void what_database_or_broker_would_refuse_is_refused_at_once() {
        assertRefused("aggregate type of an event is empty", "", "1", "E", "c", Map.of());
        assertRefused("event type of an event is empty", "a", "1", "", "c", Map.of());
        assertRefused("content type of an event is empty", "a", "1", "E", "", Map.of());
        assertRefused("aggregate id of an event contains U+0000", "a", "1\0", "E", "c", Map.of());
        assertRefused(
                "event type of an event has 256 bytes, AMQP carries at most 255",
                "a",
                "1",
                "é".repeat(128),
                "c",
                Map.of());
        assertRefused("header name of an event is empty", "a", "1", "E", "c", Map.of("", "x"));
        assertRefused("header x of an event contains U+0000", "a", "1", "E", "c", Map.of("x", "\0"));
        assertThat(OutboxEvent.eventType("é".repeat(127))
                        .aggregateType("a")
                        .aggregateId("")
                        .payload(new byte[0], "c")
                        .aggregateId())
                .isEmpty();
    }

    private static OutboxEvent event(
            String type, String id, String eventType, String contentType, Map<String, String> headers) {
        OutboxEvent event = OutboxEvent.eventType(eventType)
                .aggregateType(type)
                .aggregateId(id)
                .payload(new byte[0], contentType);
        for (Map.Entry<String, String> header : headers.entrySet()) {
            event = event.withHeader(header.getKey(), header.getValue());
        }
        return event;
    }

    private static void assertRefused(
            String reason, String type, String id, String eventType, String contentType, Map<String, String> headers) {
        assertThatThrownBy(() -> event(type, id, eventType, contentType, headers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
    }
}
