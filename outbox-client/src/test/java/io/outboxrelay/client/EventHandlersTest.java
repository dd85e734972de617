package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class EventHandlersTest {

    record Placed(int total) {}

    record Paid(String by) {}

    private final List<String> handled = new ArrayList<>();
    private final JsonEvents json = new JsonEvents(new Jackson3Json(new JsonMapper()));
    private final EventHandlers handlers = EventHandlers.reading(json)
            .on("OrderPlaced", Placed.class, (placed, event) -> handled.add(event.aggregateId() + " " + placed.total()))
            .on("OrderPaid", Paid.class, (paid, event) -> handled.add(paid.by()))
            .on("OrderSent", event -> handled.add(new String(event.payload())));

    @Test
    void each_type_of_event_has_a_handler_and_its_payload_is_read_for_it() throws Exception {
        handlers.handle(event("OrderPlaced", "{\"total\":3}"));
        handlers.handle(event("OrderPaid", "{\"by\":\"card\"}"));
        handlers.handle(event("OrderSent", "anything"));

        assertThat(handled).containsExactly("4711 3", "card", "anything");
        assertThat(handlers.eventTypes()).containsExactly("OrderPaid", "OrderPlaced", "OrderSent");
    }

    @Test
    void an_event_of_another_type_is_rejected_unless_others_are_ignored() throws Exception {
        assertThatThrownBy(() -> handlers.handle(event("OrderLost", "{}")))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("no handler for events of the type \"OrderLost\"")
                .hasMessageContaining("[OrderPaid, OrderPlaced, OrderSent]");

        handlers.ignoringOthers().handle(event("OrderLost", "{}"));

        assertThat(handled).isEmpty();
    }

    @Test
    void a_payload_that_does_not_fit_is_rejected() {
        assertThatThrownBy(() -> handlers.handle(event("OrderPlaced", "{\"total\":\"many\"}")))
                .isInstanceOf(EventRejectedException.class);
    }

    @Test
    void a_type_has_one_handler() {
        assertThatThrownBy(() -> handlers.on("OrderPaid", event -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The event type OrderPaid has two handlers");
    }

    private static ReceivedEvent event(String type, String payload) {
        ReceivedEvent event = JsonEventsTest.received(payload, "application/json");
        return new ReceivedEvent(
                event.id(),
                type,
                event.aggregateType(),
                event.aggregateId(),
                event.payload(),
                event.contentType(),
                event.headers(),
                null,
                false);
    }
}
