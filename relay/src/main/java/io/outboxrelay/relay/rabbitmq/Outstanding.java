package io.outboxrelay.relay.rabbitmq;

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
 * What was published on one channel and is not answered, by its delivery tag. An event is here at most once, so a message
 * that comes back, which names its event and no tag, is matched to exactly the publish that it answers.
 *
 * <p>The lane stops waiting for a late answer; the message stays here without its payload, since the broker may still hold
 * it. Belongs to the lane's thread.
 */
final class Outstanding {

    /**
     * A message without an answer.
     *
     * @param id of its event
     * @param event its event; null once the lane has stopped waiting
     * @param exchange where it went
     * @param routingKey by which key
     * @param at when, by the publisher's clock
     * @param returned what the broker said when it sent the message back; null when it has not
     */
    record Sent(
            UUID id,
            @Nullable Event event,
            String exchange,
            String routingKey,
            long at,
            @Nullable String returned) {}

    private final NavigableMap<Long, Sent> byTag = new TreeMap<>();
    private final Map<UUID, Long> tags = new HashMap<>();
    private int late;

    void add(long tag, Event event, String exchange, String routingKey, long now) {
        byTag.put(tag, new Sent(event.id(), event, exchange, routingKey, now, null));
        tags.put(event.id(), tag);
    }

    /** Returns the message of an event, if the broker may still hold it. */
    Optional<Sent> of(Event event) {
        return tags.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(tags.get(event.id())).map(byTag::get);
    }

    /** The lane no longer waits for the answer. Returns the message; empty when there is none that it waits for. */
    Optional<Sent> forget(Event event) {
        Optional<Sent> sent = of(event).filter(found -> found.event() == event);
        sent.ifPresent(found -> {
            byTag.put(
                    tags.get(event.id()),
                    new Sent(found.id(), null, found.exchange(), found.routingKey(), found.at(), found.returned()));
            late++;
        });
        return sent;
    }

    /** The broker has sent the message of an event back. It answers the message later. */
    void returned(UUID id, String detail) {
        Long tag = tags.get(id);
        if (tag != null) {
            byTag.computeIfPresent(
                    tag,
                    (same, sent) ->
                            new Sent(sent.id(), sent.event(), sent.exchange(), sent.routingKey(), sent.at(), detail));
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
        tags.remove(sent.id());
        if (sent.event() == null) {
            late--;
        }
    }
}
