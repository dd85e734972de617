package io.outboxrelay.client;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to the broker and the queues that are consumed over it. It ends when one of them ends. Used by the
 * consumer's own thread, except {@link #abort}.
 */
final class ConsumerSession implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** Long enough for a broker that answers, short enough for one that does not. */
    private static final int CLOSE_TIMEOUT_MILLIS = 5_000;

    private final Connection connection;
    private final ConsumerSettings settings;
    private final Consumer<Taken> worker;
    private final ConsumerCounts counts;
    private final Runnable changed;
    private final Map<String, Subscription> subscriptions = new HashMap<>();

    /** What was learned about the size of events. */
    private int prefetch;

    private ConsumerSession(
            Connection connection,
            ConsumerSettings settings,
            Consumer<Taken> worker,
            ConsumerCounts counts,
            Runnable changed) {
        this.counts = counts;
        this.changed = changed;
        this.connection = connection;
        this.settings = settings;
        this.worker = worker;
        this.prefetch = settings.prefetch();
    }

    /** Connects, and declares the queue if it is to be declared. */
    static ConsumerSession open(
            ConnectionFactory broker,
            ConsumerSettings settings,
            Consumer<Taken> worker,
            ConsumerCounts counts,
            Runnable changed)
            throws IOException, TimeoutException {
        String name = "outbox consumer " + settings.name();
        Connection connection = settings.addresses().isEmpty()
                ? broker.newConnection(name)
                : broker.newConnection(settings.addresses(), name);
        try {
            ConsumerQueue declaration = settings.declaration();
            if (declaration != null) {
                declaration.declareOn(connection, settings.longestInHand());
            }
            return new ConsumerSession(connection, settings, worker, counts, changed);
        } catch (IOException | TimeoutException | RuntimeException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
            throw e;
        }
    }

    /**
     * Consumes exactly these queues. A queue that is not among them any more is let go of as soon as nothing of it is
     * in work; if it is among them again by then, it is opened again.
     *
     * @throws IOException if one of them has ended: the broker delivers again what was not acknowledged
     */
    void consume(Collection<String> queues) throws IOException {
        for (Iterator<Subscription> each = subscriptions.values().iterator(); each.hasNext(); ) {
            Subscription subscription = each.next();
            if (subscription.ended().isPresent() && queues.contains(subscription.queue())) {
                throw new IOException(
                        subscription.queue() + ": " + subscription.ended().get());
            }
            subscription.acknowledgeRest();
            boolean overloaded = subscription.overloaded();
            if (overloaded || subscription.isLettingGo() || !queues.contains(subscription.queue())) {
                subscription.letGo();
                if (!subscription.isRunning()) {
                    if (overloaded) {
                        takeLess(subscription);
                    }
                    each.remove();
                    subscription.close();
                }
            }
        }
        for (String queue : queues) {
            if (!subscriptions.containsKey(queue)) {
                subscriptions.put(
                        queue, Subscription.open(connection, settings, queue, prefetch, worker, counts, changed));
            }
        }
    }

    /** Declares the queues for the history. */
    void declareHistory(ConsumerQueue declaration) throws IOException, TimeoutException {
        declaration.declareHistoryOn(connection, settings.longestInHand());
    }

    /** Deletes the queues for the history. */
    void deleteHistory(ConsumerQueue declaration) throws IOException, TimeoutException {
        declaration.deleteHistoryOn(connection);
    }

    /**
     * Finds the histories that have ended.
     *
     * @param remember gets the queue and the id of the end; returns whether it is remembered
     */
    void endHistories(BiPredicate<String, UUID> remember) throws IOException {
        for (Subscription subscription : subscriptions.values()) {
            Optional<UUID> end = subscription.historyEnd();
            if (end.isPresent() && remember.test(subscription.queue(), end.get())) {
                subscription.forgetEnd();
            }
        }
    }

    private void takeLess(Subscription subscription) {
        int fitting = Math.min(prefetch, subscription.fittingPrefetch());
        LOG.info(
                "The consumer {} takes {} deliveries ahead from now on instead of {}, because more than {} bytes were"
                        + " in hand",
                settings.name(),
                fitting,
                prefetch,
                settings.prefetchBytes());
        prefetch = fitting;
    }

    /** Takes nothing more, and waits until nothing is in work, for the given time at most. */
    boolean awaitIdle(Duration time) throws InterruptedException {
        subscriptions.values().forEach(Subscription::letGo);
        long until = System.nanoTime() + time.toNanos();
        boolean idle = true;
        for (Subscription each : subscriptions.values()) {
            idle &= each.awaitIdle(Duration.ofNanos(Math.max(0, until - System.nanoTime())));
        }
        return idle;
    }

    /** Ends it from any thread; the broker takes back what was not acknowledged. */
    void abort() {
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }

    /** Acknowledges what is done and gives back the rest. */
    @Override
    public void close() {
        subscriptions.values().forEach(Subscription::letGo);
        subscriptions.values().forEach(Subscription::close);
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }
}
