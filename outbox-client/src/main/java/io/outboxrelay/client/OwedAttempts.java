package io.outboxrelay.client;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The attempts at stored events that a process has counted before it made them, and has to give back because they did
 * not end by their events' fault. Shared by the threads of a process, because the one that owes may not get to it: a
 * worker with deliveries helps with no stored event. Nobody gives back an attempt that is being made.
 */
final class OwedAttempts {

    private final Set<Long> running = new HashSet<>();
    private final Set<Long> owed = new LinkedHashSet<>();

    /** Attempts at these events were counted and are going to be made. */
    synchronized void begun(Collection<Long> ids) {
        running.addAll(ids);
    }

    /** The attempt at this event stays counted, or the event is gone. */
    synchronized void spent(long id) {
        running.remove(id);
    }

    /** The attempts at these events are over: those that are not spent are owed. */
    synchronized void ended(Collection<Long> ids) {
        for (Long id : ids) {
            if (running.remove(id)) {
                owed.add(id);
            }
        }
    }

    /** Takes what is owed, so that no other thread gives it back too. */
    synchronized List<Long> take() {
        List<Long> taken = owed.stream().filter(id -> !running.contains(id)).toList();
        taken.forEach(owed::remove);
        return taken;
    }

    /** Says that these could not be given back yet. */
    synchronized void owe(Collection<Long> ids) {
        owed.addAll(ids);
    }
}
