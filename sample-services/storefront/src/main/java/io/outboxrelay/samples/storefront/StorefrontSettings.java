package io.outboxrelay.samples.storefront;

import java.net.URI;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What the storefront is told besides what Spring Boot knows.
 *
 * @param ordersUrl where the orders service is
 * @param customersUrl where the customers service is
 * @param productsUrl where the products service is
 * @param patience how long a composed answer waits for its parts, all tries included; what comes later is missing in it
 * @param calls how a service is asked
 */
@ConfigurationProperties("storefront")
record StorefrontSettings(
        URI ordersUrl,
        URI customersUrl,
        URI productsUrl,
        @DefaultValue("3s") Duration patience,
        @DefaultValue Calls calls) {

    /**
     * How a service is asked.
     *
     * @param connectTimeout until a connection is there
     * @param timeout until one answer is there, whole
     * @param attempts how often a question that changes nothing is asked at most
     * @param pause before it is asked again
     * @param rest how long a service is left alone that failed half of the last calls
     */
    record Calls(
            @DefaultValue("500ms") Duration connectTimeout,
            @DefaultValue("1s") Duration timeout,
            @DefaultValue("2") int attempts,
            @DefaultValue("100ms") Duration pause,
            @DefaultValue("5s") Duration rest) {}
}
