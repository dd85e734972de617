package io.outboxrelay.bench;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;

/** This project's consumer. */
final class OutboxConsumer {

    private OutboxConsumer() {}

    /** With all settings as the client has them. */
    static AutoCloseable withDefaults(ConsumerParts parts) {
        return start(builder(parts));
    }

    static AutoCloseable of(ConsumerParts parts, int concurrency, int batch) {
        return start(builder(parts).concurrency(concurrency).batch(batch));
    }

    private static IdempotentConsumer.Builder builder(ConsumerParts parts) {
        Inbox inbox = new Inbox(parts.database(), parts.transactions(), BenchOutbox.SCHEMA);
        return IdempotentConsumer.builder(parts.broker(), inbox)
                .name(ConsumerParts.CONSUMER)
                .queue(BenchQueue.QUEUE)
                .handler(event -> parts.effects().add(event.id(), event.aggregateId(), event.payload()));
    }

    private static AutoCloseable start(IdempotentConsumer.Builder builder) {
        IdempotentConsumer consumer = builder.build();
        consumer.start();
        return consumer;
    }
}
