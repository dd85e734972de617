package io.outboxrelay.client;

import io.outboxrelay.client.Tries.Backoff;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How an {@link IdempotentConsumer} works, checked. */
record ConsumerSettings(
        String name,
        String queue,
        @Nullable ConsumerQueue declaration,
        int prefetch,
        int attempts,
        Backoff backoff,
        Duration patience,
        Duration contentionPatience,
        Duration stopTimeout) {

    ConsumerSettings {
        if (name.isEmpty() || queue.isEmpty()) {
            throw new IllegalArgumentException(
                    "A consumer needs a name and a queue, but they are \"" + name + "\" and \"" + queue + "\"");
        }
        if (prefetch < 1 || prefetch > 65_535) {
            throw new IllegalArgumentException(
                    "The consumer " + name + " cannot have a prefetch of " + prefetch + ": use 1 to 65535");
        }
        if (attempts < 1) {
            throw new IllegalArgumentException(
                    "The consumer " + name + " cannot have " + attempts + " attempts: use at least 1");
        }
        if (patience.isNegative() || contentionPatience.isNegative() || stopTimeout.isNegative()) {
            throw new IllegalArgumentException("The consumer " + name
                    + " has a negative patience, contention patience or stop timeout: " + patience + ", "
                    + contentionPatience + ", " + stopTimeout);
        }
    }
}
