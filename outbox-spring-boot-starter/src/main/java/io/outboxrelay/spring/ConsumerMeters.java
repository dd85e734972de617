package io.outboxrelay.spring;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.springframework.beans.factory.ObjectProvider;

/** What each consumer counts anyway, as meters with its name as tag. */
final class ConsumerMeters implements MeterBinder {

    private final ObjectProvider<IdempotentConsumer> consumers;

    ConsumerMeters(ObjectProvider<IdempotentConsumer> consumers) {
        this.consumers = consumers;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        consumers.stream().forEach(consumer -> bind(consumer, registry));
    }

    private static void bind(IdempotentConsumer consumer, MeterRegistry registry) {
        for (State state : State.values()) {
            Gauge.builder("outbox.consumer.state", consumer, each -> each.state() == state ? 1 : 0)
                    .tag("consumer", consumer.name())
                    .tag("state", state.name())
                    .description("1 for the state that the consumer is in, 0 for the others")
                    .register(registry);
        }
        FunctionTimer.builder(
                        "outbox.consumer.handling",
                        consumer,
                        IdempotentConsumer::handled,
                        each -> each.handlingTime().toNanos(),
                        TimeUnit.NANOSECONDS)
                .tag("consumer", consumer.name())
                .description("Handled events, and the time of their transactions with the commit")
                .register(registry);
        FunctionTimer.builder(
                        "outbox.consumer.age",
                        consumer,
                        IdempotentConsumer::handled,
                        each -> each.ageWhenHandled().toMillis(),
                        TimeUnit.MILLISECONDS)
                .tag("consumer", consumer.name())
                .description("Handled events, and their age when their transactions had committed")
                .register(registry);
        count(
                consumer,
                "duplicates",
                IdempotentConsumer::duplicatesDropped,
                "Deliveries without effect, because the inbox knew the event",
                registry);
        count(
                consumer,
                "retries",
                IdempotentConsumer::retried,
                "Failed attempts that were followed by another one",
                registry);
        count(
                consumer,
                "contentions",
                IdempotentConsumer::contentions,
                "Attempts that failed by deadlocks, lock timeouts and the like",
                registry);
        count(
                consumer,
                "dead.letters",
                IdempotentConsumer::deadLettered,
                "Events that the consumer gave up, so that the broker moved them to the dead-letter queue",
                registry);
    }

    private static void count(
            IdempotentConsumer consumer,
            String name,
            ToDoubleFunction<IdempotentConsumer> count,
            String description,
            MeterRegistry registry) {
        FunctionCounter.builder("outbox.consumer." + name, consumer, count)
                .tag("consumer", consumer.name())
                .description(description)
                .register(registry);
    }
}
