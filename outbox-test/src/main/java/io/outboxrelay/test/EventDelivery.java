package io.outboxrelay.test;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.client.RoutingKey;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * Hands events to consumers at once, without a broker: the handler runs in the calling thread, in the transaction that
 * also notes the event in the inbox, as when the broker delivers it. In a test with a transaction of its own, that is
 * this transaction, and everything rolls back with it. One call is one attempt: what the handler throws is thrown here,
 * there are no retries, and nothing is parked.
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
     * Delivers what a test has published and the consumer's queue is bound to, in order. The events stay in the outbox.
     * Their routing keys are the default ones of relays, see {@link RoutingKey}; exchanges are not compared. If the
     * consumer does not declare bindings, every event is delivered.
     *
     * @param events what was published
     * @param consumer the consumer's name
     * @return how many of them were new to the consumer
     * @throws IllegalArgumentException if there is no such consumer
     * @throws AssertionError if the queue is bound to none of the published events; names the keys and the bindings
     * @throws RuntimeException what the handler threw; later events are not delivered then
     */
    public int deliver(PublishedEvents events, String consumer) {
        IdempotentConsumer receiver = consumer(consumer);
        List<PublishedEvent> published = events.list();
        List<PublishedEvent> bound = published.stream()
                .filter(event -> isBound(receiver, routingKey(event)))
                .toList();
        if (bound.isEmpty() && !published.isEmpty()) {
            throw new AssertionError("The queue " + receiver.queue() + " of the consumer " + consumer
                    + " is bound by " + patterns(receiver)
                    + " and gets none of the published events, whose routing keys"
                    + " are "
                    + published.stream()
                            .map(EventDelivery::routingKey)
                            .distinct()
                            .toList()
                    + ". If the relay has another broker.routing-key, deliver the events one by one");
        }
        int handled = 0;
        for (PublishedEvent event : bound) {
            handled += receiver.deliver(event.received()) ? 1 : 0;
        }
        return handled;
    }

    private static String routingKey(PublishedEvent event) {
        return RoutingKey.of(event.aggregateType(), event.eventType());
    }

    private static List<String> patterns(IdempotentConsumer consumer) {
        return consumer.bindings().stream()
                .map(ConsumerQueue.Binding::routingKey)
                .toList();
    }

    private static boolean isBound(IdempotentConsumer consumer, String key) {
        List<String> patterns = patterns(consumer);
        return patterns.isEmpty() || patterns.stream().anyMatch(pattern -> matches(words(pattern), words(key)));
    }

    private static List<String> words(String key) {
        return List.of(key.split("\\.", -1));
    }

    /** As a topic exchange does: a star for one word, a hash for any number of them. */
    private static boolean matches(List<String> pattern, List<String> key) {
        if (pattern.isEmpty()) {
            return key.isEmpty();
        }
        String first = pattern.get(0);
        List<String> rest = pattern.subList(1, pattern.size());
        if (first.equals("#") && matches(rest, key)) {
            return true;
        }
        if (key.isEmpty()) {
            return false;
        }
        List<String> later = key.subList(1, key.size());
        return first.equals("#")
                ? matches(pattern, later)
                : (first.equals("*") || first.equals(key.get(0))) && matches(rest, later);
    }

    private IdempotentConsumer consumer(String name) {
        return consumers.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no consumer \"" + name + "\", only "
                        + consumers.stream().map(IdempotentConsumer::name).toList()));
    }
}
