package io.outboxrelay.samples.storefront;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The storefront's own settings.
 *
 * @param ordersUrl where the orders service is
 * @param customersUrl where the customers service is
 * @param productsUrl where the products service is
 * @param patience how long a composed answer waits for its parts, including all attempts; later parts are missing
 * @param ownOrder how long the answer to a new order waits until the views have the order
 * @param calls how services are called
 * @param processes file that lists the processes of the shop; null if nobody keeps one
 */
@ConfigurationProperties("storefront")
record StorefrontSettings(
        URI ordersUrl,
        URI customersUrl,
        URI productsUrl,
        @DefaultValue("3s") Duration patience,
        @DefaultValue("1s") Duration ownOrder,
        @DefaultValue Calls calls,
        @Nullable Path processes) {

    /**
     * How services are called.
     *
     * @param connectTimeout for a connection
     * @param timeout for one complete answer
     * @param attempts at most, for a request that changes nothing
     * @param pause before the next attempt
     * @param rest how long a service is not called after half of the last calls failed
     */
    record Calls(
            @DefaultValue("500ms") Duration connectTimeout,
            @DefaultValue("1s") Duration timeout,
            @DefaultValue("2") int attempts,
            @DefaultValue("100ms") Duration pause,
            @DefaultValue("5s") Duration rest) {}
}
