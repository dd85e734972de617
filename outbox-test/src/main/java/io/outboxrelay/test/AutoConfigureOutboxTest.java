package io.outboxrelay.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.test.context.TestPropertySource;

/**
 * Beside {@code @SpringBootTest}: makes the beans {@link PublishedEvents}, which begins anew before each test method,
 * and {@link EventDelivery}. The application's consumers are not started, and need no broker.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ImportAutoConfiguration
@TestPropertySource(properties = {"outbox.consumer.start=false", "outbox.consumer.uri=amqp://no-broker.invalid"})
public @interface AutoConfigureOutboxTest {}
