package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the health of the consumers is: down if one has ended by an error, which only a new start of the application
 * repairs. A consumer that waits for its broker or its database is well, and continues by itself.
 *
 * @param down whether one has ended by an error
 * @param details each consumer's state and queue, by its name
 */
record ConsumersReport(boolean down, Map<String, Object> details) {

    static ConsumersReport of(Stream<IdempotentConsumer> consumers) {
        Map<String, Object> details = new LinkedHashMap<>();
        boolean down = false;
        for (IdempotentConsumer consumer : consumers.toList()) {
            State state = consumer.state();
            down |= state == State.FAILED;
            details.put(consumer.name(), Map.of("state", state, "queue", consumer.queue()));
        }
        return new ConsumersReport(down, details);
    }
}
