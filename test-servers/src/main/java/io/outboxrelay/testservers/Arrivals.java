package io.outboxrelay.testservers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The events that a consumer received, and whether they came in order. Any thread may call it. */
public final class Arrivals {
    private final Set<ServiceEvent> events = new HashSet<>();
    private final Map<Integer, ServiceEvent> latest = new HashMap<>();
    private final List<String> disorder = new ArrayList<>();
    private long duplicates;

    /**
     * Records a delivery.
     *
     * @param event as it was delivered
     * @return whether it is the first delivery of this event
     */
    public synchronized boolean add(ServiceEvent event) {
        if (!events.add(event)) {
            duplicates++;
            return false;
        }
        ServiceEvent before = latest.get(event.aggregate());
        if (before != null && before.sequence() > event.sequence()) {
            disorder.add(event + " came after " + before);
        } else {
            latest.put(event.aggregate(), event);
        }
        return true;
    }

    /**
     * How many different events have arrived.
     *
     * @return their number
     */
    public synchronized int count() {
        return events.size();
    }

    /**
     * The events that have arrived.
     *
     * @return a copy
     */
    public synchronized Set<ServiceEvent> events() {
        return Set.copyOf(events);
    }

    /**
     * Events whose first delivery came after that of a later event of their aggregate.
     *
     * @return a sentence for each
     */
    public synchronized List<String> disorder() {
        return List.copyOf(disorder);
    }

    /**
     * Repeated deliveries, by the relay or by the broker.
     *
     * @return their number
     */
    public synchronized long duplicates() {
        return duplicates;
    }
}
