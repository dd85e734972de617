package io.outboxrelay.client;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumes a RabbitMQ queue so that the effect of every event happens once: each delivery is handled in a transaction
 * that also notes it in the {@link Inbox}, and is acknowledged after that transaction has committed.
 *
 * <p>One thread of its own handles one event at a time, in the order of the queue. What becomes of an event:
 *
 * <ul>
 *   <li>handled, or known to the inbox: acknowledged;
 *   <li>the handler fails, by an exception or an error: tried again in place with backoff, and after the last attempt
 *       rejected, so that the broker moves it to the dead-letter exchange; later events go on;
 *   <li>no valid {@code message_id}: rejected at once, because nothing can be remembered about it;
 *   <li>the database is away: kept in hand and tried again; that spends no attempt. It counts as away when the failure came
 *       before the handler was called or says that a connection was lost, and, because handlers hide such failures, when
 *       it does not do now what the inbox needs (the consumer asks, and undoes it). When the database stays away for longer than the patience, everything in hand goes back to the queue, where other instances can
 *       take it, and nothing is taken until the database answers again. So an outage of any length costs an event one
 *       redelivery at most, and a delivery limit of the queue does not throw good events away;
 *   <li>the virtual machine itself fails, out of memory for one: the consumer ends, and the event stays in the queue;
 *   <li>the connection to the broker is lost: the broker delivers again what was not acknowledged, and the inbox drops
 *       what was done. The consumer connects again, with backoff, for as long as it takes.
 * </ul>
 *
 * <p>The broker closes a channel whose deliveries stay unacknowledged for half an hour (its {@code consumer_timeout}), and
 * that time includes the waiting of what was sent ahead. With slow handlers choose a prefetch that fits into it.
 */
public final class IdempotentConsumer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** How often a broker or a database that is away is asked whether it is back. */
    private static final Backoff RECONNECT = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

    /** A database that fails just now is asked soon and often: the delivery in hand waits for it. */
    private static final Backoff RETRY = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));

    /** An event that loses its connection so often in a row goes back: others may be able to handle it. */
    private static final int MAX_INTERRUPTIONS = 20;

    /**
     * A broker that is starting again may never answer a request for a quorum queue that has no leader yet
     * (https://github.com/rabbitmq/rabbitmq-server/issues/10070). The client would wait for ten minutes.
     */
    private static final int RPC_TIMEOUT_MILLIS = 10_000;

    private final ConnectionFactory broker;
    private final Inbox inbox;
    private final ConsumerSettings settings;
    private final EventHandler handler;
    private final Thread thread;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicReference<State> state = new AtomicReference<>(State.NEW);
    private final AtomicLong duplicatesDropped = new AtomicLong();
    private final AtomicLong deadLettered = new AtomicLong();
    private final FaultLog brokerFaults = new FaultLog(LOG);
    private final FaultLog databaseFaults = new FaultLog(LOG);
    private volatile @Nullable ConsumerSession session;

    /** Whether the handler was called in the last attempt: otherwise the failure is not its own. */
    private boolean handlerReached;

    /** What a consumer is doing. */
    public enum State {
        /** Not started yet. */
        NEW,
        /** On its way to the broker, first or again. */
        CONNECTING,
        /** Taking deliveries. */
        CONSUMING,
        /** The database is away: no delivery is held, the next are taken when it answers. */
        WAITING_FOR_DATABASE,
        /** Ended. */
        STOPPED
    }

    private IdempotentConsumer(ConnectionFactory broker, Inbox inbox, ConsumerSettings settings, EventHandler handler) {
        this.broker = broker;
        this.inbox = inbox;
        this.settings = settings;
        this.handler = handler;
        this.thread = new Thread(this::run, "outbox-consumer-" + settings.name());
    }

    /**
     * Describes a consumer.
     *
     * @param broker how to connect; copied. Its automatic recovery is not used: the consumer connects again by itself.
     * @param inbox in the database that the handler changes
     * @return a builder with defaults for everything but name, queue and handler
     */
    public static Builder builder(ConnectionFactory broker, Inbox inbox) {
        return new Builder(broker, inbox);
    }

    /**
     * Starts consuming, in a thread of its own, and returns at once: the broker and the database may come later.
     *
     * @throws IllegalStateException if it was started or closed before
     */
    public void start() {
        if (!state.compareAndSet(State.NEW, State.CONNECTING)) {
            throw new IllegalStateException(
                    "The consumer " + settings.name() + " can be started once, and it is " + state.get());
        }
        thread.start();
    }

    /**
     * What the consumer is doing at this moment.
     *
     * @return the state
     */
    public State state() {
        return state.get();
    }

    /**
     * How many deliveries had no effect because the inbox knew the event, since {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long duplicatesDropped() {
        return duplicatesDropped.get();
    }

    /**
     * How many deliveries were rejected, so that the broker moved them to the dead-letter exchange, since {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long deadLettered() {
        return deadLettered.get();
    }

    /**
     * Stops: takes nothing more, lets the event in hand finish within the stop timeout or else interrupts it, and gives
     * back the rest. An event that is waiting to be tried again is given back at once.
     */
    @Override
    public void close() {
        if (state.compareAndSet(State.NEW, State.STOPPED)) {
            return;
        }
        stop.countDown();
        ConsumerSession current = session;
        if (current != null) {
            current.wake();
        }
        if (Thread.currentThread() != thread) {
            awaitEnd();
        }
    }

    private void awaitEnd() {
        try {
            thread.join(Math.max(1, settings.stopTimeout().toMillis()));
            if (thread.isAlive()) {
                LOG.warn(
                        "The consumer {} did not finish the event in hand within {}: it is interrupted, and the event will be"
                                + " delivered again",
                        settings.name(),
                        settings.stopTimeout());
                ConsumerSession current = session;
                if (current != null) {
                    current.abort();
                }
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        int failures = 0;
        try {
            while (!stopping()) {
                state.set(State.CONNECTING);
                try (ConsumerSession opened = ConsumerSession.open(broker, settings)) {
                    failures = 0;
                    brokerFaults.recovered("The consumer " + settings.name() + " is connected again");
                    consume(opened);
                } catch (DatabaseAwayException e) {
                    awaitDatabase();
                } catch (IOException | TimeoutException | ShutdownSignalException e) {
                    if (!stopping()) {
                        brokerFaults.fault(
                                "The consumer " + settings.name() + " of the queue " + settings.queue()
                                        + " has lost the broker, or not reached it, and tries again",
                                e);
                        pause(RECONNECT.after(++failures));
                    }
                }
            }
        } catch (InterruptedException e) {
            LOG.info("The consumer {} was interrupted", settings.name());
        } catch (RuntimeException | Error e) {
            LOG.error("The consumer {} has ended; what it had in hand will be delivered again", settings.name(), e);
            throw e;
        } finally {
            session = null;
            state.set(State.STOPPED);
        }
    }

    private void consume(ConsumerSession opened) throws IOException, InterruptedException, DatabaseAwayException {
        session = opened;
        state.set(State.CONSUMING);
        while (!stopping()) {
            Optional<Delivery> delivery = opened.next();
            if (delivery.isPresent()) {
                settle(opened, delivery.get());
            }
        }
    }

    private void settle(ConsumerSession opened, Delivery delivery)
            throws IOException, InterruptedException, DatabaseAwayException {
        Optional<ReceivedEvent> event = ReceivedEvent.from(delivery);
        if (event.isEmpty()) {
            LOG.warn(
                    "A message in the queue {} from the exchange {} with the routing key {} has no UUID as message_id: it goes"
                            + " to the dead letters",
                    settings.queue(),
                    delivery.getEnvelope().getExchange(),
                    delivery.getEnvelope().getRoutingKey());
            reject(opened, delivery);
        } else {
            attempt(opened, delivery, event.get());
        }
    }

    private void attempt(ConsumerSession opened, Delivery delivery, ReceivedEvent event)
            throws IOException, InterruptedException, DatabaseAwayException {
        int failed = 0;
        int interrupted = 0;
        while (!stopping()) {
            Optional<Throwable> failure = process(event);
            if (failure.isEmpty()) {
                opened.done(delivery);
                return;
            }
            opened.acknowledge();
            if (stopping()) {
                return;
            }
            if (databaseWasAway() || !handlerReached || ConnectionLoss.isCauseOf(failure.get())) {
                if (++interrupted == MAX_INTERRUPTIONS) {
                    throw new DatabaseAwayException();
                }
                pause(RETRY.after(interrupted));
                continue;
            }
            failed++;
            if (failed == settings.attempts()) {
                LOG.warn(
                        "The consumer {} failed {} times to handle {}: it goes to the dead letters",
                        settings.name(),
                        failed,
                        event,
                        failure.get());
                reject(opened, delivery);
                return;
            }
            LOG.warn(
                    "The consumer {} failed to handle {}, attempt {} of {}, and tries again: {}",
                    settings.name(),
                    event,
                    failed,
                    settings.attempts(),
                    failure.get().toString());
            pause(settings.backoff().after(failed));
        }
    }

    /** An event whose handler ends one consumer by an error would end, delivered again, the next one too. */
    private Optional<Throwable> process(ReceivedEvent event) {
        handlerReached = false;
        try {
            if (!inbox.once(settings.name(), event.id(), () -> handle(event))) {
                duplicatesDropped.incrementAndGet();
            }
            return Optional.empty();
        } catch (RuntimeException | StackOverflowError e) {
            return Optional.of(e);
        } catch (VirtualMachineError e) {
            // Out of memory, say: nothing can be trusted any more, the answer to the broker included.
            throw e;
        } catch (Error e) {
            return Optional.of(e);
        }
    }

    private void handle(ReceivedEvent event) {
        handlerReached = true;
        try {
            handler.handle(event);
        } catch (RuntimeException e) {
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The handler was interrupted", e);
        } catch (Exception e) {
            // Only an unchecked exception rolls the transaction back.
            throw new IllegalStateException("The handler failed: " + e, e);
        }
    }

    private void reject(ConsumerSession opened, Delivery delivery) throws IOException {
        opened.reject(delivery);
        deadLettered.incrementAndGet();
    }

    /** False if the database answers at once, true if it does after a while. */
    private boolean databaseWasAway() throws InterruptedException, DatabaseAwayException {
        long began = System.nanoTime();
        int failures = 0;
        while (!stopping() && !databaseAnswers()) {
            if (System.nanoTime() - began >= settings.patience().toNanos()) {
                throw new DatabaseAwayException();
            }
            pause(RETRY.after(++failures));
        }
        return failures > 0;
    }

    private void awaitDatabase() throws InterruptedException {
        state.set(State.WAITING_FOR_DATABASE);
        int failures = 0;
        while (!stopping() && !databaseAnswers()) {
            pause(RECONNECT.after(++failures));
        }
    }

    private boolean databaseAnswers() {
        try {
            inbox.probe(settings.name());
            databaseFaults.recovered("The database of the consumer " + settings.name() + " answers again");
            return true;
        } catch (RuntimeException e) {
            databaseFaults.fault("The consumer " + settings.name() + " cannot use its inbox and waits", e);
            return false;
        }
    }

    private boolean stopping() {
        return stop.getCount() == 0;
    }

    private void pause(Duration time) throws InterruptedException {
        stop.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** The database has been away for longer than the consumer's patience. */
    private static final class DatabaseAwayException extends Exception {}

    /** Describes an {@link IdempotentConsumer}. */
    public static final class Builder {

        private final ConnectionFactory broker;
        private final Inbox inbox;
        private String name = "";
        private String queue = "";
        private @Nullable ConsumerQueue declaration;
        private int prefetch = 100;
        private int attempts = 5;
        private Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));
        private Duration patience = Duration.ofSeconds(20);
        private Duration stopTimeout = Duration.ofSeconds(20);
        private @Nullable EventHandler handler;

        private Builder(ConnectionFactory broker, Inbox inbox) {
            this.broker = broker.clone();
            this.broker.setAutomaticRecoveryEnabled(false);
            this.broker.setChannelRpcTimeout(RPC_TIMEOUT_MILLIS);
            this.inbox = inbox;
        }

        /**
         * The name under which the inbox remembers events.
         *
         * @param name stable for the life of the service: under another name every event is new
         * @return this
         */
        public Builder name(String name) {
            this.name = name;
            return this;
        }

        /**
         * Consumes an existing queue. It must have a dead-letter exchange: otherwise events whose handler keeps failing are
         * lost.
         *
         * @param queue its name
         * @return this
         */
        public Builder queue(String queue) {
            this.queue = queue;
            this.declaration = null;
            return this;
        }

        /**
         * Declares a queue, its dead-letter exchange and queue and its bindings at every connection, and consumes it.
         *
         * @param queue the description
         * @return this
         */
        public Builder queue(ConsumerQueue queue) {
            this.queue = queue.name();
            this.declaration = queue;
            return this;
        }

        /**
         * How many deliveries the broker may send ahead.
         *
         * @param deliveries 1 to 65535, default 100
         * @return this
         */
        public Builder prefetch(int deliveries) {
            this.prefetch = deliveries;
            return this;
        }

        /**
         * How often the handler may try an event before it goes to the dead-letter exchange.
         *
         * @param attempts at least 1, default 5
         * @return this
         */
        public Builder attempts(int attempts) {
            this.attempts = attempts;
            return this;
        }

        /**
         * The waits between two attempts: twice as long each time, half of it at random. The queue waits with them.
         *
         * @param first upper bound of the first wait, default 200 ms
         * @param longest upper bound of every wait, default 10 s
         * @return this
         * @throws IllegalArgumentException if the first is not positive or longer than the longest
         */
        public Builder backoff(Duration first, Duration longest) {
            this.backoff = new Backoff(first, longest);
            return this;
        }

        /**
         * How long an event is kept in hand while the database is away, before everything in hand goes back to the queue
         * until the database answers.
         *
         * @param patience default 20 s
         * @return this
         */
        public Builder patience(Duration patience) {
            this.patience = patience;
            return this;
        }

        /**
         * How long {@link IdempotentConsumer#close} lets the event in hand finish.
         *
         * @param timeout default 20 s
         * @return this
         */
        public Builder stopTimeout(Duration timeout) {
            this.stopTimeout = timeout;
            return this;
        }

        /**
         * What to do about an event.
         *
         * @param handler called in the inbox's transaction
         * @return this
         */
        public Builder handler(EventHandler handler) {
            this.handler = handler;
            return this;
        }

        /**
         * Checks the description; nothing is started.
         *
         * @return a consumer to be {@linkplain IdempotentConsumer#start started}
         * @throws IllegalArgumentException if something is missing or out of range
         */
        public IdempotentConsumer build() {
            if (handler == null) {
                throw new IllegalArgumentException("The consumer " + name + " has no handler");
            }
            ConsumerSettings settings =
                    new ConsumerSettings(name, queue, declaration, prefetch, attempts, backoff, patience, stopTimeout);
            return new IdempotentConsumer(broker, inbox, settings, handler);
        }
    }
}
