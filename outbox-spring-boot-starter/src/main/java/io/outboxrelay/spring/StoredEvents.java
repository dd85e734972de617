package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.StoredCounts;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.springframework.beans.factory.ObjectProvider;

/**
 * How many events the application's consumers have in the table {@code inbox_failure}, as of the last {@link Look}.
 * Asks nothing until somebody wants to know.
 */
final class StoredEvents implements AutoCloseable {

    private final Look<Map<String, StoredCounts>> look;

    StoredEvents(ObjectProvider<IdempotentConsumer> consumers, Duration every) {
        this.look = new Look<>(
                "outbox-stored-events",
                () -> count(consumers),
                every,
                "The events that consumers have stored are not counted, because the database user may not read the"
                        + " table inbox_failure. Grant it the role outbox_consumer");
    }

    /** Those of one name share their rows. */
    private static Map<String, StoredCounts> count(ObjectProvider<IdempotentConsumer> consumers) {
        Map<String, StoredCounts> counts = new HashMap<>();
        consumers.forEach(consumer -> counts.computeIfAbsent(consumer.name(), name -> consumer.stored()));
        return counts;
    }

    void start() {
        look.start();
    }

    /** Those of a consumer; empty while they are not known. */
    Optional<StoredCounts> of(String consumer) {
        Map<String, StoredCounts> counts = look.last();
        return counts == null ? Optional.empty() : Optional.ofNullable(counts.get(consumer));
    }

    @Override
    public void close() {
        look.close();
    }
}
