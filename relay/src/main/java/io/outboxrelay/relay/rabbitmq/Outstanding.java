package io.outboxrelay.relay.rabbitmq;

import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
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
 * What was published on one channel and is not answered, by its delivery tag. Each identity is here at most once, so a
 * message that comes back, which has its identity and no tag, is matched to exactly the publish that it answers.
 *
 * <p>The lane stops waiting for a late answer; the message stays here without its payload, since the broker may still hold
 * it. Belongs to the lane's thread.
 */
final class Outstanding {

    /**
     * What tells a message from all others that may be on a channel. The id alone does not: a writer may use one for rows of
     * several aggregates.
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
     * @param routingKey by which key
     * @param at when, by the publisher's clock
     * @param returned what the broker said when it sent the message back; null when it has not
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

    /** The lane no longer waits for the answer. Returns the message; empty when there is none that it waits for. */
    Optional<Sent> forget(Event event) {
        Optional<Sent> sent = of(event).filter(found -> found.event() == event);
        sent.ifPresent(found -> {
            byTag.put(tags.get(found.identity()), found.forgotten());
            late++;
        });
        return sent;
    }

    /** The broker has sent a message back. It answers the message later. */
    void returned(Identity identity, String detail) {
        Long tag = tags.get(identity);
        if (tag != null) {
            byTag.computeIfPresent(tag, (same, sent) -> sent.returned(detail));
        }
    }

    /** Takes out what the broker has answered: one message, or all up to it, in the order of publishing. */
    List<Sent> answered(long tag, boolean multiple) {
        NavigableMap<Long, Sent> range = multiple ? byTag.headMap(tag, true) : byTag.subMap(tag, true, tag, true);
        List<Sent> sent = new ArrayList<>(range.values());
        range.clear();
        sent.forEach(this::gone);
        return sent;
    }

    /** The channel is gone. Returns the messages whose answer the lane waited for. */
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
