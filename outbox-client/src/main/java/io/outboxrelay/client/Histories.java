package io.outboxrelay.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The histories of a consumer's queues. In the place of each queue its history is consumed until that is complete; then
 * the queue itself. Which are complete says the inbox's table {@code inbox_history}, which every instance reads. When
 * all are, the queue as a whole is noted too, so that a later change of the number of partitions asks for no history.
 *
 * <p>That a history is complete is noted after everything in it has committed. An instance that sees it earlier than
 * another consumes new events while the other may still have deliveries of the history in hand, because it was frozen:
 * all of these are in the inbox by then, so they have no effect.
 *
 * <p>Used by the consumer's own thread, except {@link #isCatchingUp}.
 */
final class Histories {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final InboxFailures database;
    private final String consumer;
    private final @Nullable ConsumerQueue declaration;
    private final FaultLog faults = new FaultLog(LOG);
    private final Set<String> complete = new HashSet<>();
    private boolean known;
    private boolean prepared;
    private boolean announced;
    private volatile boolean catchingUp;

    /** @param declaration null if the consumer declares no queue, and so has no history */
    Histories(InboxFailures database, String consumer, @Nullable ConsumerQueue declaration) {
        this.database = database;
        this.consumer = consumer;
        this.declaration = declaration != null && declaration.catchesUp() ? declaration : null;
    }

    /** Another connection to the broker begins. Somebody may have emptied tables or queues meanwhile. */
    void begin() {
        known = false;
        prepared = false;
    }

    /**
     * Consumes these queues, or their histories.
     *
     * @throws IOException if the connection or what is consumed over it has ended
     */
    void consume(ConsumerSession session, List<String> queues) throws IOException, TimeoutException {
        ConsumerQueue queue = declaration;
        if (queue == null) {
            session.consume(queues);
            return;
        }
        session.endHistories(this::remember);
        read(queue);
        if (!known) {
            session.consume(List.of());
        } else if (isComplete(queue)) {
            session.consume(queues);
            if (!prepared) {
                session.deleteHistory(queue);
                prepared = true;
            }
        } else {
            if (!prepared) {
                if (!begin(session, queue)) {
                    session.consume(List.of());
                    return;
                }
                session.declareHistory(queue);
                prepared = true;
            }
            announce(queue);
            session.consume(queues.stream()
                    .map(each -> complete.contains(each) ? each : ConsumerQueue.historyOf(each))
                    .toList());
        }
    }

    /**
     * What is left of a history that was asked for before the consumer's tables were emptied would be handled before
     * the beginning of this one. So its queues are deleted once, before anybody can send to them again.
     *
     * @return false if the database cannot be asked now
     * @throws IOException if the connection to the broker has ended
     */
    private boolean begin(ConsumerSession session, ConsumerQueue queue) throws IOException {
        try {
            database.beginHistory(ConsumerQueue.historyOf(queue.name()), () -> {
                try {
                    session.deleteHistory(queue);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } catch (TimeoutException e) {
                    throw new UncheckedIOException(new IOException(e));
                }
            });
            return true;
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (RuntimeException e) {
            faults.fault("The consumer " + consumer + " cannot use the table inbox_history, and tries again", e);
            return false;
        }
    }

    /** Other instances complete histories too. */
    private void read(ConsumerQueue queue) {
        if (known && isComplete(queue)) {
            return;
        }
        try {
            List<String> found = database.histories();
            complete.clear();
            complete.addAll(found);
            if (!isComplete(queue) && complete.containsAll(queue.queues())) {
                database.historyEnded(queue.name(), UUID.randomUUID());
                complete.add(queue.name());
            }
            if (isComplete(queue) && catchingUp) {
                LOG.info(
                        "The consumer {} has handled the history of the queue {}, and consumes new events",
                        consumer,
                        queue.name());
                prepared = false;
            }
            known = true;
            catchingUp = !isComplete(queue);
            faults.recovered("The consumer " + consumer + " can use the table inbox_history again");
        } catch (RuntimeException e) {
            faults.fault("The consumer " + consumer + " cannot use the table inbox_history, and tries again", e);
        }
    }

    private boolean isComplete(ConsumerQueue queue) {
        return complete.contains(queue.name());
    }

    private void announce(ConsumerQueue queue) {
        if (!announced) {
            LOG.info(
                    "The consumer {} waits for the history of the queue {} before it consumes new events. If nobody"
                            + " sends it yet, run: outbox-relay subscribe --queue {} --from BEGINNING --reason TEXT",
                    consumer,
                    queue.name(),
                    queue.name());
            announced = true;
        }
    }

    private boolean remember(String history, UUID subscription) {
        try {
            for (String each : declaration == null ? List.<String>of() : declaration.queues()) {
                if (ConsumerQueue.historyOf(each).equals(history)) {
                    database.historyEnded(each, subscription);
                }
            }
            return true;
        } catch (RuntimeException e) {
            faults.fault(
                    "The consumer " + consumer + " cannot note that the history in the queue " + history
                            + " is complete, and tries again",
                    e);
            return false;
        }
    }

    /** Whether it is known what to consume. */
    boolean isKnown() {
        return declaration == null || known;
    }

    /** Whether new events wait for the history. Safe for many threads. */
    boolean isCatchingUp() {
        return catchingUp;
    }
}
