package io.outboxrelay.samples.chassis;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.swagger.v3.core.jackson.ModelResolver;
import org.springdoc.core.providers.ObjectMapperProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/** What the services' HTTP has in common. Spring Boot's own problem details, which say less, step back for it. */
@AutoConfiguration(beforeName = "org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@Import(RequestProblems.class)
public class HttpAutoConfiguration {

    /** Called by Spring. */
    HttpAutoConfiguration() {}

    /** Fields are named in the OpenAPI document as they are on the wire; springdoc has a Jackson of its own. */
    @Bean
    ModelResolver snakeCase(ObjectMapperProvider springdoc) {
        return new ModelResolver(
                        springdoc.jsonMapper().copy().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE))
                .openapi31(springdoc.isOpenapi31());
    }
}
