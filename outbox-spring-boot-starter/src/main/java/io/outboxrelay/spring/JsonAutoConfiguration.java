package io.outboxrelay.spring;

import io.outboxrelay.client.Jackson2Json;
import io.outboxrelay.client.Jackson3Json;
import io.outboxrelay.client.JsonEvents;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** The maker and reader of events in JSON, where the application has a mapper of Jackson 3 or 2, in this order. */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration",
            "org.springframework.boot.jackson2.autoconfigure.Jackson2AutoConfiguration",
            "org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration"
        })
public class JsonAutoConfiguration {

    /** Called by Spring. */
    JsonAutoConfiguration() {}

    /** Spring Boot 4 has a mapper of Jackson 3. */
    @Order(1)
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(tools.jackson.databind.ObjectMapper.class)
    @ConditionalOnSingleCandidate(tools.jackson.databind.ObjectMapper.class)
    @ConditionalOnMissingBean(JsonEvents.class)
    static class ByJackson3 {

        @Bean
        JsonEvents jsonEvents(tools.jackson.databind.ObjectMapper mapper) {
            return new JsonEvents(new Jackson3Json(mapper));
        }
    }

    /** Spring Boot 3 has a mapper of Jackson 2. */
    @Order(2)
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(com.fasterxml.jackson.databind.ObjectMapper.class)
    @ConditionalOnSingleCandidate(com.fasterxml.jackson.databind.ObjectMapper.class)
    @ConditionalOnMissingBean(JsonEvents.class)
    static class ByJackson2 {

        @Bean
        JsonEvents jsonEvents(com.fasterxml.jackson.databind.ObjectMapper mapper) {
            return new JsonEvents(new Jackson2Json(mapper));
        }
    }
}
