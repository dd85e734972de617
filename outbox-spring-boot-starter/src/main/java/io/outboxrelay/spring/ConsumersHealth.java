package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Down if a consumer has ended by an error: only a new start of the application helps. A consumer that waits for its
 * broker or its database is well, and continues by itself. The details have each consumer's state and queue.
 */
final class ConsumersHealth extends AbstractHealthIndicator {

    private final ObjectProvider<IdempotentConsumer> consumers;

    ConsumersHealth(ObjectProvider<IdempotentConsumer> consumers) {
        super("The consumers could not be checked");
        this.consumers = consumers;
    }

    @Override
    protected void doHealthCheck(Health.Builder health) {
        List<IdempotentConsumer> all = consumers.stream().toList();
        if (all.stream().anyMatch(consumer -> consumer.state() == State.FAILED)) {
            health.down();
        } else {
            health.up();
        }
        all.forEach(consumer ->
                health.withDetail(consumer.name(), Map.of("state", consumer.state(), "queue", consumer.queue())));
    }
}
