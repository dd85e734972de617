package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/** Tells Spring Boot 4 what {@link ConsumersReport} says. */
final class ConsumersHealth extends AbstractHealthIndicator {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final ObjectProvider<StoredEvents> stored;

    ConsumersHealth(ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
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
