package io.outboxrelay.spring;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.springframework.beans.factory.ObjectProvider;

/** What each consumer counts anyway, as meters with its name as tag; those of one name are added up. */
final class ConsumerMeters implements MeterBinder {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final List<Same> held = new CopyOnWriteArrayList<>();

    ConsumerMeters(ObjectProvider<IdempotentConsumer> consumers) {
        this.consumers = consumers;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        consumers.stream()
                .collect(Collectors.groupingBy(IdempotentConsumer::name))
                .forEach((name, same) -> bind(held(new Same(name, same)), registry));
    }

    /** Micrometer holds what it asks by a weak reference. */
    private Same held(Same same) {
        held.add(same);
        return same;
    }

    /** The consumers of one name, which the registry takes for one. */
    private record Same(String name, List<IdempotentConsumer> consumers) {

        long sum(ToLongFunction<IdempotentConsumer> count) {
            return consumers.stream().mapToLong(count).sum();
        }
    }

    private static void bind(Same same, MeterRegistry registry) {
        for (State state : State.values()) {
            Gauge.builder("outbox.consumer.state", same, each -> each.sum(one -> one.state() == state ? 1 : 0))
                    .tag("consumer", same.name())
                    .tag("state", state.name())
                    .description("How many consumers of this name are in the state: of a single one 1 or 0")
                    .register(registry);
        }
        FunctionTimer.builder(
                        "outbox.consumer.handling",
                        same,
                        each -> each.sum(IdempotentConsumer::handled),
                        each -> each.sum(one -> one.handlingTime().toNanos()),
                        TimeUnit.NANOSECONDS)
                .tag("consumer", same.name())
                .description("Handled events, and the time of their transactions with the commit")
                .register(registry);
        FunctionTimer.builder(
                        "outbox.consumer.age",
                        same,
                        each -> each.sum(IdempotentConsumer::handled),
                        each -> each.sum(one -> one.ageWhenHandled().toMillis()),
                        TimeUnit.MILLISECONDS)
                .tag("consumer", same.name())
                .description("Handled events, and their age when their transactions had committed")
                .register(registry);
        count(
                same,
                "duplicates",
                IdempotentConsumer::duplicatesDropped,
                "Deliveries without effect, because the inbox knew the event",
                registry);
        count(
                same,
                "retries",
                IdempotentConsumer::retried,
                "Failed attempts that were followed by another one",
                registry);
        count(
                same,
                "contentions",
                IdempotentConsumer::contentions,
                "Attempts that failed by deadlocks, lock timeouts and the like",
                registry);
        count(
                same,
                "dead.letters",
                IdempotentConsumer::deadLettered,
                "Events that the consumer gave up, so that the broker moved them to the dead-letter queue",
                registry);
    }

    private static void count(
            Same same,
            String name,
            ToLongFunction<IdempotentConsumer> count,
            String description,
            MeterRegistry registry) {
        FunctionCounter.builder("outbox.consumer." + name, same, each -> each.sum(count))
                .tag("consumer", same.name())
                .description(description)
                .register(registry);
    }
}
