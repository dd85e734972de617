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
 * An answer whose parts are requested at the same time, with one deadline. It lists the missing parts. Created for one
 * request and used only by its thread.
 */
final class PartialAnswer {

    private static final Logger LOG = LoggerFactory.getLogger(PartialAnswer.class);

    private final ExecutorService threads;
    private final Duration patience;
    private final long deadline;
    private final List<Missing> missing = new ArrayList<>();

    /**
     * @param threads may reject a task; then the part is missing
     * @param patience from now, for all parts together
     */
    PartialAnswer(ExecutorService threads, Duration patience) {
        this.threads = threads;
        this.patience = patience;
        this.deadline = System.nanoTime() + patience.toNanos();
    }

    /** A requested part. */
    record Part<T>(String name, String service, Future<Optional<T>> answer) {}

    /**
     * Requests a part.
     *
     * @param name of the part
     * @param service to call
     * @param question returns empty if the service does not know, and throws {@link ServiceUnavailable} if it is
     *     unavailable
     */
    <T> Part<T> ask(String name, String service, Supplier<Optional<T>> question) {
        try {
            return new Part<>(name, service, threads.submit(question::get));
        } catch (RejectedExecutionException e) {
            return new Part<>(
                    name,
                    service,
                    CompletableFuture.failedFuture(
                            new ServiceUnavailable(service, "the storefront has too many open requests", false, e)));
        }
    }

    /** Waits for a part until the deadline; null if it is missing, which is then listed. */
    <T> @Nullable T take(Part<T> part) {
        try {
            Optional<T> answer = part.answer().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (answer.isEmpty()) {
                lacks(part, "it has no such entry");
            }
            return answer.orElse(null);
        } catch (TimeoutException e) {
            part.answer().cancel(true);
            lacks(part, "it did not answer within " + patience.toMillis() + " ms");
        } catch (ExecutionException e) {
            lacks(part, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            lacks(part, "the storefront is stopping");
        }
        return null;
    }

    /** The missing parts so far. */
    List<Missing> missing() {
        return List.copyOf(missing);
    }

    private void lacks(Part<?> part, @Nullable Throwable failure) {
        if (failure instanceof ServiceUnavailable away) {
            lacks(part, away.reason());
        } else {
            LOG.error("Could not read the {} in the answer of the {} service", part.name(), part.service(), failure);
            lacks(part, "its answer is invalid");
        }
    }

    private void lacks(Part<?> part, String reason) {
        missing.add(new Missing(part.name(), part.service(), reason));
    }
}
