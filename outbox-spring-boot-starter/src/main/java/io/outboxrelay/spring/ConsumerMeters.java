package io.outboxrelay.spring;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.client.StoredCounts;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/**
 * What each consumer counts anyway, as meters with its name as tag, those of one name added up; and how many events it
 * has stored.
 */
final class ConsumerMeters implements MeterBinder {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final @Nullable StoredEvents stored;
    private final List<Same> held = new CopyOnWriteArrayList<>();

    /** @param stored none if they are not to be counted */
    ConsumerMeters(ObjectProvider<IdempotentConsumer> consumers, @Nullable StoredEvents stored) {
        this.consumers = consumers;
        this.stored = stored;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        consumers.stream()
                .collect(Collectors.groupingBy(IdempotentConsumer::name))
                .forEach((name, same) -> {
                    bind(held(new Same(name, same)), registry);
                    if (stored != null) {
                        bindStored(name, stored, registry);
                    }
                });
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

        boolean isPartitioned() {
            return consumers.stream().anyMatch(consumer -> consumer.partitions() > 1);
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
        Gauge.builder("outbox.consumer.workers", same, each -> each.sum(IdempotentConsumer::concurrency))
                .tag("consumer", same.name())
                .description("How many events the consumer works on at once")
                .register(registry);
        Gauge.builder("outbox.consumer.catching.up", same, each -> each.sum(one -> one.isCatchingUp() ? 1 : 0))
                .tag("consumer", same.name())
                .description("Consumers that handle or await their history, while new events wait in the queue")
                .register(registry);
        if (same.isPartitioned()) {
            Gauge.builder(
                            "outbox.consumer.partitions",
                            same,
                            each -> each.sum(one -> one.ownPartitions().size()))
                    .tag("consumer", same.name())
                    .description("Partitions of the queue that this instance consumes")
                    .register(registry);
        }
        count(
                same,
                "transactions",
                IdempotentConsumer::transactions,
                "Committed transactions with handled events: handled events per transaction are the size of a batch",
                registry);
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
                "Rejected deliveries, which the broker moved to the dead-letter queue",
                registry);
        count(
                same,
                "parked",
                IdempotentConsumer::parked,
                "Events that the consumer gave up and stored, until a person decides",
                registry);
        count(
                same,
                "waiting",
                IdempotentConsumer::waiting,
                "Events that were stored behind a parked one of their aggregate",
                registry);
    }

    private static void bindStored(String consumer, StoredEvents stored, MeterRegistry registry) {
        stored(consumer, "retrying", StoredCounts::retrying, stored, registry);
        stored(consumer, "parked", StoredCounts::parked, stored, registry);
        stored(consumer, "waiting", StoredCounts::waiting, stored, registry);
        stored.start();
    }

    private static void stored(
            String consumer,
            String state,
            ToLongFunction<StoredCounts> count,
            StoredEvents stored,
            MeterRegistry registry) {
        Gauge.builder(
                        "outbox.consumer.stored",
                        stored,
                        all -> all.of(consumer)
                                .map(counts -> (double) count.applyAsLong(counts))
                                .orElse(Double.NaN))
                .tag("consumer", consumer)
                .tag("state", state)
                .description("Events of the consumer in the table inbox_failure; at most 10,000 are counted")
                .register(registry);
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
