package io.outboxrelay.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a consumer was given, in the order in which it was. Any thread may ask. */
final class Arrivals {

    private final Set<ServiceEvent> events = new HashSet<>();
    private final Map<Integer, ServiceEvent> latest = new HashMap<>();
    private final List<String> disorder = new ArrayList<>();
    private long duplicates;

    synchronized void add(ServiceEvent event) {
        if (!events.add(event)) {
            duplicates++;
            return;
        }
        ServiceEvent before = latest.get(event.aggregate());
        if (before != null && before.sequence() > event.sequence()) {
            disorder.add(event + " came after " + before);
        } else {
            latest.put(event.aggregate(), event);
        }
    }

    /** How many different ones. */
    synchronized int count() {
        return events.size();
    }

    synchronized Set<ServiceEvent> events() {
        return Set.copyOf(events);
    }

    /** Events that arrived for the first time when a later one of their aggregate had been there. */
    synchronized List<String> disorder() {
        return List.copyOf(disorder);
    }

    /** Deliveries of what had been delivered before, by the relay or by the broker. */
    synchronized long duplicates() {
        return duplicates;
    }
}
