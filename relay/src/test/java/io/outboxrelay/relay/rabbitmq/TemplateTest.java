package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.RoutingKey;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.testing.Events;
import org.junit.jupiter.api.Test;

class TemplateTest {

    /** How types become words is the client's: consumers bind by the same words. */
    @Test
    void a_template_may_mix_text_and_placeholders() {
        Event event = Events.maker().type("OrderLineAdded").of("OrderLine", "Id 1");

        assertThat(Template.of("shop.{aggregate_type}.{event_type}/{aggregate_id}!")
                        .of(event))
                .isEqualTo("shop.order-line.order-line-added/Id 1!");
        assertThat(Template.of("{aggregate_type}.{event}").of(event))
                .isEqualTo(RoutingKey.of("OrderLine", "OrderLineAdded"));
        assertThat(Template.of("").of(event)).isEmpty();
        assertThat(Template.of("events").isConstant()).isTrue();
        assertThat(Template.of("events.{event_type}").isConstant()).isFalse();
    }

    @Test
    void an_unknown_placeholder_is_named_with_those_that_are_known() {
        assertThatThrownBy(() -> Template.of("{tenant}.events"))
                .hasMessageContaining("{tenant}")
                .hasMessageContaining("{aggregate_type}, {aggregate_id}, {event_type} and {event}");
    }
}
