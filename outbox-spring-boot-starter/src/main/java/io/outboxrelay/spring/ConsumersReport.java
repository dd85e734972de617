package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/**
 * What the health of the consumers is: down if one has ended by an error, which only a new start of the application
 * repairs. A consumer that waits for its broker or its database is well, and continues by itself. A parked event waits
 * for a person, and no start of the application helps it.
 *
 * @param down whether one has ended by an error
 * @param details each consumer's state, queue and more, by its name; the worst if there are several of one name
 */
record ConsumersReport(boolean down, Map<String, Object> details) {

    /** From bad to good. Of several consumers of one name the details show the worst. */
    private static final List<State> WORST_FIRST = List.of(
            State.FAILED, State.WAITING_FOR_DATABASE, State.CONNECTING, State.STOPPED, State.NEW, State.CONSUMING);

    static ConsumersReport of(ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
        StoredEvents known = stored.getIfAvailable();
        if (known != null) {
            known.start();
        }
        return of(consumers.stream().toList(), known);
    }

    static ConsumersReport of(List<IdempotentConsumer> consumers, @Nullable StoredEvents stored) {
        Map<String, State> worst = new LinkedHashMap<>();
        Map<String, Object> details = new LinkedHashMap<>();
        for (IdempotentConsumer consumer : consumers) {
            State state = consumer.state();
            State before = worst.get(consumer.name());
            if (before == null || WORST_FIRST.indexOf(state) < WORST_FIRST.indexOf(before)) {
                worst.put(consumer.name(), state);
                details.put(consumer.name(), details(consumer, state, stored));
            }
        }
        return new ConsumersReport(worst.containsValue(State.FAILED), details);
    }

    private static Map<String, Object> details(
            IdempotentConsumer consumer, State state, @Nullable StoredEvents stored) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("state", state);
        details.put("queue", consumer.queue());
        details.put("workers", consumer.concurrency());
        if (consumer.partitions() > 1) {
            details.put("partitions", consumer.ownPartitions());
        }
        if (consumer.isCatchingUp()) {
            details.put("catchingUp", true);
        }
        if (stored != null) {
            stored.of(consumer.name()).ifPresent(counts -> details.put("parked", counts.parked()));
        }
        return details;
    }
}
