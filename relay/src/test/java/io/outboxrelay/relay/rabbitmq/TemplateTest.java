package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.testing.Events;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TemplateTest {

    @ParameterizedTest
    @CsvSource({
        "OrderPlaced, order.placed",
        "order, order",
        "HTTPRequestSent, http.request.sent",
        "Order2Shipped, order2.shipped",
        "order.placed, order.placed",
        "com.acme.OrderPlaced, com.acme.order.placed",
    })
    void types_are_put_in_in_lower_case_dotted_form(String type, String dotted) {
        Event event = Events.maker().type(type).of("Order", "Id 1");

        assertThat(Template.of("{event_type}").of(event)).isEqualTo(dotted);
    }

    @Test
    void a_template_may_mix_text_and_placeholders() {
        Event event = Events.maker().of("OrderLine", "Id 1");

        assertThat(Template.of("shop.{aggregate_type}.{event_type}/{aggregate_id}!")
                        .of(event))
                .isEqualTo("shop.order.line.order.placed/Id 1!");
        assertThat(Template.of("").of(event)).isEmpty();
        assertThat(Template.of("events").isConstant()).isTrue();
        assertThat(Template.of("events.{event_type}").isConstant()).isFalse();
    }

    @Test
    void an_unknown_placeholder_is_named_with_those_that_are_known() {
        assertThatThrownBy(() -> Template.of("{tenant}.events"))
                .hasMessageContaining("{tenant}")
                .hasMessageContaining("{aggregate_type}, {aggregate_id} and {event_type}");
    }
}
