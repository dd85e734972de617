package io.outboxrelay.samples.orders;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How patient a saga is.
 *
 * @param timeout how long it waits for an answer before it compensates, or repeats a request while compensating
 */
@ConfigurationProperties("shop.saga")
record SagaSettings(@DefaultValue("30s") Duration timeout) {

    SagaSettings {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("shop.saga.timeout must be positive, not " + timeout);
        }
    }
}
