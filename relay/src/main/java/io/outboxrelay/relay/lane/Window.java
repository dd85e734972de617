package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The events that are published and not answered, oldest first: limited in number and in bytes. */
final class Window {

    private final int mostEvents;
    private final long mostBytes;
    private final Duration deadline;
    private final Map<Event, Long> publishedAt = new LinkedHashMap<>();
    private long bytes;

    /**
     * @param mostEvents maximum number of events
     * @param mostBytes maximum of their payload bytes; there is always room for one event
     * @param deadline maximum time in which the broker must answer an event
     */
    Window(int mostEvents, long mostBytes, Duration deadline) {
        this.mostEvents = mostEvents;
        this.mostBytes = mostBytes;
        this.deadline = deadline;
    }

    boolean isEmpty() {
        return publishedAt.isEmpty();
    }

    /** Returns whether one more event may be published; a suspect only alone. */
    boolean hasRoomFor(Event event, Suspects suspects) {
        return isEmpty()
                || !suspects.contains(event)
                        && !suspects.contains(publishedAt.keySet().iterator().next())
                        && publishedAt.size() < mostEvents
                        && bytes + event.payloadBytes() <= mostBytes;
    }

    void add(Event event, long now) {
        publishedAt.put(event, now);
        bytes += event.payloadBytes();
    }

    void remove(Event event) {
        publishedAt.remove(event);
        bytes -= event.payloadBytes();
    }

    /** Returns how long the oldest may still wait for its answer. */
    Duration untilDeadline(long now) {
        long oldest = publishedAt.values().iterator().next();
        return Duration.ofNanos(Math.max(0, oldest + deadline.toNanos() - now));
    }

    /** Returns those that have waited too long. */
    List<Event> late(long now) {
        return publishedAt.entrySet().stream()
                .takeWhile(published -> now - published.getValue() >= deadline.toNanos())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Removes and returns all events. */
    List<Event> clear() {
        List<Event> unanswered = List.copyOf(publishedAt.keySet());
        publishedAt.clear();
        bytes = 0;
        return unanswered;
    }

    @Override
    public String toString() {
        return publishedAt.size() + " events of " + bytes + " bytes in flight";
    }
}
