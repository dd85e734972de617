package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;

/** Tells Spring Boot 3 what {@link ConsumersReport} says. */
final class ConsumersHealthOfBoot3 extends AbstractHealthIndicator {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final ObjectProvider<StoredEvents> stored;

    ConsumersHealthOfBoot3(ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
        super("The consumers could not be checked");
        this.consumers = consumers;
        this.stored = stored;
    }

    @Override
    protected void doHealthCheck(Health.Builder health) {
        ConsumersReport report = ConsumersReport.of(consumers, stored);
        (report.down() ? health.down() : health.up()).withDetails(report.details());
    }
}
