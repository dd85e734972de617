package io.outboxrelay.samples.orders;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * The least that a service must do that takes part in the saga: it answers a reservation once and for all, and refuses
 * one that comes after its release. Used by one thread.
 */
final class PlayedParticipant {

    enum Answer {
        RESERVED,
        REJECTED,
        ALREADY_RELEASED
    }

    private final Map<UUID, Answer> answers = new HashMap<>();
    private final Set<UUID> kept = new HashSet<>();

    Answer reserve(UUID order, BooleanSupplier possible) {
        Answer answer =
                answers.computeIfAbsent(order, asked -> possible.getAsBoolean() ? Answer.RESERVED : Answer.REJECTED);
        if (answer == Answer.RESERVED) {
            kept.add(order);
        }
        return answer;
    }

    void release(UUID order) {
        kept.remove(order);
        answers.put(order, Answer.ALREADY_RELEASED);
    }

    Set<UUID> kept() {
        return kept;
    }
}
