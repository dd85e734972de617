package io.outboxrelay.client;

import com.rabbitmq.client.Address;
import io.outboxrelay.client.Tries.Backoff;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How an {@link IdempotentConsumer} works, checked. */
record ConsumerSettings(
        String name,
        String queue,
        @Nullable ConsumerQueue declaration,
        List<Address> addresses,
        int prefetch,
        int attempts,
        Backoff backoff,
        Duration patience,
        Duration contentionPatience,
        Duration stopTimeout) {

    /** Where a given-up event goes, in words. */
    String deadLetters() {
        return declaration == null
                ? "the dead-letter exchange of the queue " + queue
                : "the dead-letter queue " + declaration.deadLetter();
    }

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
