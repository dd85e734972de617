package io.outboxrelay.bench;

import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The consumers that are measured. Each one inserts one row for each event, in the transaction that notes the event.
 */
enum ConsumeContender {
    /** As the client has it without a setting. */
    OUTBOX("outbox", false, OutboxConsumer::withDefaults),
    /** One thread, one event, one commit, as it was before there were workers and batches. */
    OUTBOX_1_1("outbox-1x1", true, parts -> OutboxConsumer.of(parts, 1, 1)),
    OUTBOX_1_100("outbox-1x100", false, parts -> OutboxConsumer.of(parts, 1, 100)),
    OUTBOX_8_1("outbox-8x1", true, parts -> OutboxConsumer.of(parts, 8, 1)),
    OUTBOX_8_100("outbox-8x100", false, parts -> OutboxConsumer.of(parts, 8, 100)),
    /** What one would write by hand for speed. */
    LOOP_100("loop-100", false, parts -> HandwrittenLoop.start(parts, 100)),
    SPRING_1("spring-1", true, parts -> SpringListener.single(parts, 1)),
    SPRING_8("spring-8", true, parts -> SpringListener.single(parts, 8)),
    SPRING_BATCH_1("spring-batch-1x100", false, parts -> SpringListener.batch(parts, 1, 100)),
    SPRING_BATCH_8("spring-batch-8x100", false, parts -> SpringListener.batch(parts, 8, 100));

    /** A commit for each event makes a run about this much slower than one for a hundred. */
    private static final int FEWER_EVENTS = 5;

    private interface Start {
        AutoCloseable start(ConsumerParts parts) throws Exception;
    }

    private final String word;
    private final boolean commitsEach;
    private final Start start;

    ConsumeContender(String word, boolean commitsEach, Start start) {
        this.word = word;
        this.commitsEach = commitsEach;
        this.start = start;
    }

    static ConsumeContender named(String word) {
        return Arrays.stream(values())
                .filter(contender -> contender.word.equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no contender " + word + ", but there are "
                        + Arrays.stream(values()).map(Object::toString).collect(Collectors.joining(", "))));
    }

    /** How many of the events it gets, so that all runs take about as long. */
    long share(long events) {
        return commitsEach ? Math.max(1, events / FEWER_EVENTS) : events;
    }

    /** Whether it is this project's consumer, which must keep the order. */
    boolean isOurs() {
        return word.startsWith("outbox");
    }

    /** Starts to consume, in threads of its own; closing ends it in order. */
    AutoCloseable start(ConsumerParts parts) throws Exception {
        return start.start(parts);
    }

    @Override
    public String toString() {
        return word;
    }

    /** Reads a contender from the command line. */
    static final class Named implements ITypeConverter<ConsumeContender> {

        @Override
        public ConsumeContender convert(String word) {
            try {
                return named(word);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /** All words, for the help. */
    static final class Words implements Iterable<String> {

        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(values()).map(Object::toString).iterator();
        }
    }
}
