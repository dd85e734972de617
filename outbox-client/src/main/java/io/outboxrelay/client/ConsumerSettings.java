package io.outboxrelay.client;

import com.rabbitmq.client.Address;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.Tries.Backoff;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How an {@link IdempotentConsumer} works, checked: all faults together. */
record ConsumerSettings(
        String name,
        String queue,
        @Nullable ConsumerQueue declaration,
        List<Address> addresses,
        int concurrency,
        int batch,
        int prefetch,
        long prefetchBytes,
        GiveUp giveUp,
        int attempts,
        Backoff backoff,
        Duration patience,
        Duration contentionPatience,
        Duration stopTimeout) {

    /** The largest prefetch that is chosen without being told to; more deliveries ahead make nothing faster. */
    private static final int LARGEST_DEFAULT_PREFETCH = 5_000;

    /** Of a number that is chosen by the others. */
    static final int AUTOMATIC = Integer.MIN_VALUE;

    /** Beyond it a commit is a small part of the cost. */
    private static final int DEFAULT_BATCH = 100;

    ConsumerSettings {
        List<String> faults = new ArrayList<>();
        if (name.isEmpty() || queue.isEmpty()) {
            faults.add("it needs a name and a queue, but they are \"" + name + "\" and \"" + queue + "\"");
        }
        if (concurrency < 1 || concurrency > 1_000) {
            faults.add("it cannot have a concurrency of " + concurrency + ": use 1 to 1000");
        }
        if (batch == AUTOMATIC) {
            batch = prefetch > 0 ? Math.min(DEFAULT_BATCH, prefetch) : DEFAULT_BATCH;
        }
        if (batch < 1 || batch > 10_000) {
            faults.add("it cannot handle batches of " + batch + ": use 1 to 10000");
        }
        if (prefetch == AUTOMATIC) {
            prefetch = defaultPrefetch(concurrency, batch);
        }
        if (prefetch < 1 || prefetch > 65_535) {
            faults.add("it cannot have a prefetch of " + prefetch + ": use 1 to 65535");
        } else if (batch > prefetch) {
            faults.add("it cannot handle batches of " + batch + " with a prefetch of " + prefetch
                    + ": use a larger prefetch, or leave it out");
        }
        if (prefetchBytes < 1) {
            faults.add("it cannot take " + prefetchBytes + " bytes ahead: use at least 1");
        }
        if (attempts < 1) {
            faults.add("it cannot have " + attempts + " attempts: use at least 1");
        }
        if (patience.isNegative() || contentionPatience.isNegative() || stopTimeout.isNegative()) {
            faults.add("it has a negative patience, contention patience or stop timeout: " + patience + ", "
                    + contentionPatience + ", " + stopTimeout);
        }
        if (declaration != null
                && declaration.catchesUp()
                && declaration.bindings().isEmpty()) {
            faults.add("its queue catches up and has no bindings, so it would get no history: use boundTo or"
                    + " boundToEvents");
        }
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(
                    "The consumer " + name + " cannot be built: " + String.join("; ", faults));
        }
    }

    /** While a batch of each worker is handled, the next is on its way, and its acknowledgement too. */
    private static int defaultPrefetch(int concurrency, int batch) {
        long deliveries = 4L * Math.max(1, concurrency) * Math.max(1, batch);
        return (int) Math.max(100, Math.min(LARGEST_DEFAULT_PREFETCH, Math.max(deliveries, batch)));
    }

    /** Where a rejected event goes, in words. */
    String deadLetters() {
        return declaration == null
                ? "the dead-letter exchange of the queue " + queue
                : "the dead-letter queue " + declaration.deadLetter();
    }

    /** Whether one consumer of a queue is active at a time. */
    boolean isOrdered() {
        return declaration != null && declaration.ordered();
    }

    /** Whether the history is handled first. */
    boolean catchesUp() {
        return declaration != null && declaration.catchesUp();
    }

    /** Whether a queue has the history of another one. */
    boolean isHistory(String queue) {
        return declaration != null && declaration.isHistory(queue);
    }

    /**
     * How often an event may have come back before it is suspected to end the processes that handle it. Where the order
     * matters, all events in hand come back together, and so may good ones; then there is time until the broker throws
     * them away.
     */
    int suspectAfter() {
        return declaration != null && declaration.ordered() ? Math.max(1, declaration.deliveryLimit() / 2) : 2;
    }

    /** How long an event may be in hand that is handled in no time. */
    Duration longestInHand() {
        return contentionPatience.plus(patience).plus(backoff.longest().multipliedBy(attempts));
    }
}
