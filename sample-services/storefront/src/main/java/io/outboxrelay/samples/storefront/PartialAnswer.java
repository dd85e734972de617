package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.storefront.ComposedOrder.Missing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An answer whose parts are asked for at the same time, and wanted by one deadline. It keeps a list of what did not come. Made
 * for one request and used by its thread alone.
 */
final class PartialAnswer {

    private static final Logger LOG = LoggerFactory.getLogger(PartialAnswer.class);

    private final ExecutorService threads;
    private final Duration patience;
    private final long deadline;
    private final List<Missing> missing = new ArrayList<>();

    /**
     * @param threads which may refuse: then the part is missing
     * @param patience from now on, for all parts together
     */
    PartialAnswer(ExecutorService threads, Duration patience) {
        this.threads = threads;
        this.patience = patience;
        this.deadline = System.nanoTime() + patience.toNanos();
    }

    /** A part that is on its way. */
    record Part<T>(String name, String service, Future<Optional<T>> answer) {}

    /**
     * Begins to ask for a part.
     *
     * @param name of the part
     * @param service who is asked
     * @param question answers empty where the service does not know, and throws {@link ServiceAway} where it is away
     */
    <T> Part<T> ask(String name, String service, Supplier<Optional<T>> question) {
        try {
            return new Part<>(name, service, threads.submit(question::get));
        } catch (RejectedExecutionException e) {
            return new Part<>(
                    name,
                    service,
                    CompletableFuture.failedFuture(
                            new ServiceAway(service, "the storefront asks too many questions already", false, e)));
        }
    }

    /** Waits for a part, until the deadline; null if it did not come, which then is on the list. */
    <T> @Nullable T take(Part<T> part) {
        try {
            Optional<T> answer = part.answer().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (answer.isEmpty()) {
                lacks(part, "it does not know it");
            }
            return answer.orElse(null);
        } catch (TimeoutException e) {
            part.answer().cancel(true);
            lacks(part, "it gave no answer within " + patience.toMillis() + " ms");
        } catch (ExecutionException e) {
            lacks(part, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            lacks(part, "the storefront is stopping");
        }
        return null;
    }

    /** What did not come, of what was taken until now. */
    List<Missing> missing() {
        return List.copyOf(missing);
    }

    private void lacks(Part<?> part, @Nullable Throwable failure) {
        if (failure instanceof ServiceAway away) {
            lacks(part, away.reason());
        } else {
            LOG.error("The {} could not be made of what the {} service answers", part.name(), part.service(), failure);
            lacks(part, "the storefront does not understand its answer");
        }
    }

    private void lacks(Part<?> part, String reason) {
        missing.add(new Missing(part.name(), part.service(), reason));
    }
}
