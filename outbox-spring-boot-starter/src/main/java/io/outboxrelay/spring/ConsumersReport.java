package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the health of the consumers is: down if one has ended by an error, which only a new start of the application
 * repairs. A consumer that waits for its broker or its database is well, and continues by itself.
 *
 * @param down whether one has ended by an error
 * @param details each consumer's state and queue, by its name; the worst if there are several of one name
 */
record ConsumersReport(boolean down, Map<String, Object> details) {

    /** From bad to good. Of several consumers of one name the details show the worst. */
    private static final List<State> WORST_FIRST = List.of(
            State.FAILED, State.WAITING_FOR_DATABASE, State.CONNECTING, State.STOPPED, State.NEW, State.CONSUMING);

    static ConsumersReport of(Stream<IdempotentConsumer> consumers) {
        Map<String, State> worst = new LinkedHashMap<>();
        Map<String, Object> details = new LinkedHashMap<>();
        for (IdempotentConsumer consumer : consumers.toList()) {
            State state = consumer.state();
            State before = worst.get(consumer.name());
            if (before == null || WORST_FIRST.indexOf(state) < WORST_FIRST.indexOf(before)) {
                worst.put(consumer.name(), state);
                details.put(consumer.name(), Map.of("state", state, "queue", consumer.queue()));
            }
        }
        return new ConsumersReport(worst.containsValue(State.FAILED), details);
    }
}
