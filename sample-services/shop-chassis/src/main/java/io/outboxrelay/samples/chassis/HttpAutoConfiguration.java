package io.outboxrelay.samples.chassis;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.swagger.v3.core.jackson.ModelResolver;
import org.springdoc.core.providers.ObjectMapperProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/** The common part of the services' HTTP APIs. It replaces Spring Boot's problem details, which contain less. */
@AutoConfiguration(beforeName = "org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@Import(RequestProblems.class)
public class HttpAutoConfiguration {

    /** Called by Spring. */
    HttpAutoConfiguration() {}

    /** The OpenAPI document uses the field names of the JSON, although springdoc has its own Jackson. */
    @Bean
    ModelResolver snakeCase(ObjectMapperProvider springdoc) {
        return new ModelResolver(
                        springdoc.jsonMapper().copy().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE))
                .openapi31(springdoc.isOpenapi31());
    }
}
