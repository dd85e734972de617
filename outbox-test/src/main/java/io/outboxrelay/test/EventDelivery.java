package io.outboxrelay.test;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.client.ReceivedEvent;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * Hands events to consumers at once, without a broker: the handler runs in the calling thread, in the transaction that
 * also notes the event in the inbox, as when the broker delivers it. In a test with a transaction of its own, that is
 * this transaction, and everything rolls back with it. One call is one attempt: what the handler throws is thrown here,
 * and there are no retries and no dead letters.
 */
public final class EventDelivery {

    private final List<IdempotentConsumer> consumers;

    /**
     * To these consumers. They need not be started.
     *
     * @param consumers of different names
     */
    public EventDelivery(List<IdempotentConsumer> consumers) {
        this.consumers = List.copyOf(consumers);
    }

    /**
     * Delivers an event that another service has published.
     *
     * @param event given a new id if it has none; with {@link OutboxEvent#withId} it can be delivered twice
     * @param consumer the consumer's name
     * @return false if the consumer had processed the event before, so that nothing happened
     * @throws IllegalArgumentException if there is no such consumer
     * @throws RuntimeException what the handler threw
     */
    public boolean deliver(OutboxEvent event, String consumer) {
        PublishedEvent published = new PublishedEvent(
                Objects.requireNonNullElseGet(event.id(), UUID::randomUUID),
                event.eventType(),
                event.aggregateType(),
                event.aggregateId(),
                event.payload(),
                event.contentType(),
                event.headers());
        return deliver(published.received(), consumer);
    }

    /**
     * Delivers an event as it was received.
     *
     * @param event what the handler gets
     * @param consumer the consumer's name
     * @return false if the consumer had processed the event before, so that nothing happened
     * @throws IllegalArgumentException if there is no such consumer
     * @throws RuntimeException what the handler threw
     */
    public boolean deliver(ReceivedEvent event, String consumer) {
        return consumer(consumer).deliver(event);
    }

    /**
     * Delivers what a test has published, in order, as the relay would. The events stay in the outbox.
     *
     * @param events what was published
     * @param consumer the consumer's name
     * @return how many of them were new to the consumer
     * @throws IllegalArgumentException if there is no such consumer
     * @throws RuntimeException what the handler threw; later events are not delivered then
     */
    public int deliver(PublishedEvents events, String consumer) {
        int handled = 0;
        for (PublishedEvent event : events.list()) {
            handled += deliver(event.received(), consumer) ? 1 : 0;
        }
        return handled;
    }

    private IdempotentConsumer consumer(String name) {
        return consumers.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no consumer \"" + name + "\", only "
                        + consumers.stream().map(IdempotentConsumer::name).toList()));
    }
}
