package io.outboxrelay.spring;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import java.util.List;

/**
 * Builds consumers from the application's broker, its inbox and {@code outbox.consumer.*}. A consumer that the
 * application makes a bean is started when everything else is there, and stopped before anything else goes; any other
 * is the caller's to start and to close. Safe for use by many threads.
 */
public final class IdempotentConsumers {

    private final ConnectionFactory broker;
    private final List<Address> addresses;
    private final Inbox inbox;
    private final OutboxProperties.Consumer defaults;

    IdempotentConsumers(
            ConnectionFactory broker, List<Address> addresses, Inbox inbox, OutboxProperties.Consumer defaults) {
        this.broker = broker;
        this.addresses = addresses;
        this.inbox = inbox;
        this.defaults = defaults;
    }

    /**
     * A consumer with the application's defaults.
     *
     * @param name under which the inbox remembers events; stable for the life of the service
     * @param queue declared, with its dead letters and bindings, at every connection
     * @param handler called in the inbox's transaction
     * @return not started yet
     * @throws IllegalArgumentException if the name is empty
     */
    public IdempotentConsumer consumer(String name, ConsumerQueue queue, EventHandler handler) {
        return builder().name(name).queue(queue).handler(handler).build();
    }

    /**
     * A description that begins with the application's defaults, for a consumer that differs from them, whose queue
     * exists already, or that handles batches.
     *
     * @return a builder that lacks name, queue and handler
     */
    public IdempotentConsumer.Builder builder() {
        IdempotentConsumer.Builder builder = IdempotentConsumer.builder(broker, inbox)
                .addresses(addresses)
                .concurrency(defaults.concurrency())
                .prefetchBytes(defaults.prefetchBytes().toBytes())
                .onGiveUp(defaults.onGiveUp())
                .attempts(defaults.attempts())
                .backoff(defaults.firstBackoff(), defaults.longestBackoff())
                .patience(defaults.patience())
                .contentionPatience(defaults.contentionPatience())
                .stopTimeout(defaults.stopTimeout());
        if (defaults.batch() != null) {
            builder.batch(defaults.batch());
        }
        if (defaults.prefetch() != null) {
            builder.prefetch(defaults.prefetch());
        }
        return builder;
    }
}
