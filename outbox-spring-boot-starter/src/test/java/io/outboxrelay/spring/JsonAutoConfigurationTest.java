package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.JsonEvents;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class JsonAutoConfigurationTest {

    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(JacksonAutoConfiguration.class, JsonAutoConfiguration.class));

    record Placed(LocalDate placedOn) {}

    @Test
    void events_are_written_by_the_mapper_of_the_application_with_its_settings() {
        application
                .withPropertyValues("spring.jackson.property-naming-strategy=SNAKE_CASE")
                .run(context -> assertThat(payload(context.getBean(JsonEvents.class)))
                        .isEqualTo("{\"placed_on\":\"2026-12-01\"}"));
    }

    @Test
    void a_mapper_of_jackson_2_is_used_where_there_is_no_other() {
        application
                .withClassLoader(new FilteredClassLoader("tools.jackson"))
                .withBean(com.fasterxml.jackson.databind.ObjectMapper.class)
                .run(context -> assertThat(context).hasSingleBean(JsonEvents.class));
    }

    @Test
    void without_a_mapper_there_is_no_maker_of_events() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(JsonAutoConfiguration.class))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(JsonEvents.class));
    }

    private static String payload(JsonEvents events) {
        return new String(events.eventType("OrderPlaced")
                .aggregateType("Order")
                .aggregateId("4711")
                .payload(new Placed(LocalDate.of(2026, 12, 1)))
                .payload());
    }
}
