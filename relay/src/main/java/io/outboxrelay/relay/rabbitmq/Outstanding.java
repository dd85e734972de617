package io.outboxrelay.relay.rabbitmq;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The unanswered messages of one channel, by delivery tag. Each identity is here at most once, so a returned message,
 * which carries its identity and no tag, is matched to exactly one publish.
 *
 * <p>When an answer is late, the lane stops waiting for it; the message stays here without its payload, because the
 * broker may still hold it. Belongs to the lane's thread.
 */
final class Outstanding {

    /**
     * What distinguishes a message from all others on a channel. The id alone does not: a writer may use one id for
     * rows of several aggregates.
     */
    record Identity(UUID id, Aggregate aggregate) {

        static Identity of(Event event) {
            return new Identity(event.id(), event.aggregate());
        }
    }

    /**
     * A message without an answer.
     *
     * @param identity of its event
     * @param position of its event
     * @param event its event; null once the lane has stopped waiting
     * @param exchange where it went
     * @param routingKey its routing key
     * @param at when, by the publisher's clock
     * @param returned what the broker said when it returned the message; null when it has not
     */
    record Sent(
            Identity identity,
            long position,
            @Nullable Event event,
            String exchange,
            String routingKey,
            long at,
            @Nullable String returned) {

        Sent forgotten() {
            return new Sent(identity, position, null, exchange, routingKey, at, returned);
        }

        Sent returned(String detail) {
            return new Sent(identity, position, event, exchange, routingKey, at, detail);
        }
    }

    private final NavigableMap<Long, Sent> byTag = new TreeMap<>();
    private final Map<Identity, Long> tags = new HashMap<>();
    private int late;

    void add(long tag, Event event, String exchange, String routingKey, long now) {
        Identity identity = Identity.of(event);
        byTag.put(tag, new Sent(identity, event.position(), event, exchange, routingKey, now, null));
        tags.put(identity, tag);
    }

    /** Returns the message of an event, if the broker may still hold it. */
    Optional<Sent> of(Event event) {
        return tags.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(tags.get(Identity.of(event))).map(byTag::get);
    }

    /** Stops waiting for an answer. Returns the message; empty when none is awaited for this event. */
    Optional<Sent> forget(Event event) {
        Optional<Sent> sent = of(event).filter(found -> found.event() == event);
        sent.ifPresent(found -> {
            byTag.put(tags.get(found.identity()), found.forgotten());
            late++;
        });
        return sent;
    }

    /** Notes that the broker has returned a message. Its answer follows. */
    void returned(Identity identity, String detail) {
        Long tag = tags.get(identity);
        if (tag != null) {
            byTag.computeIfPresent(tag, (same, sent) -> sent.returned(detail));
        }
    }

    /** Removes the answered messages: one, or all up to it, in the order of publishing. */
    List<Sent> answered(long tag, boolean multiple) {
        NavigableMap<Long, Sent> range = multiple ? byTag.headMap(tag, true) : byTag.subMap(tag, true, tag, true);
        List<Sent> sent = new ArrayList<>(range.values());
        range.clear();
        sent.forEach(this::gone);
        return sent;
    }

    /** Removes all messages. Returns those whose answer the lane waited for. */
    List<Sent> clear() {
        List<Sent> awaited =
                byTag.values().stream().filter(sent -> sent.event() != null).toList();
        byTag.clear();
        tags.clear();
        late = 0;
        return awaited;
    }

    /** Returns how many messages the lane waits for. */
    int awaited() {
        return byTag.size() - late;
    }

    /** Returns how many messages the lane has stopped waiting for. */
    int late() {
        return late;
    }

    /** Returns the oldest message that the lane has stopped waiting for; empty when there is none. */
    Optional<Sent> oldestLate() {
        return late == 0
                ? Optional.empty()
                : byTag.values().stream().filter(sent -> sent.event() == null).findFirst();
    }

    private void gone(Sent sent) {
        tags.remove(sent.identity());
        if (sent.event() == null) {
            late--;
        }
    }
}
