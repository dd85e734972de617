package io.outboxrelay.bench;

import java.util.Map;

/** The durable queues that are measured. */
enum QueueKind {
    CLASSIC("classic", Map.of()),
    QUORUM("quorum", Map.of("x-queue-type", "quorum"));

    private final String word;
    private final Map<String, Object> arguments;

    QueueKind(String word, Map<String, Object> arguments) {
        this.word = word;
        this.arguments = arguments;
    }

    /** The arguments of the queue's declaration. */
    Map<String, Object> arguments() {
        return arguments;
    }

    @Override
    public String toString() {
        return word;
    }
}
