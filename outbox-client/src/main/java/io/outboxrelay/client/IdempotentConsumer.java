package io.outboxrelay.client;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import io.outboxrelay.client.Effects.Result;
import io.outboxrelay.client.Tries.Backoff;
import io.outboxrelay.client.Worker.DatabaseAwayException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumes a RabbitMQ queue so that the effect of every event happens once, and those of one aggregate in order: events
 * are handled in a transaction that also notes them in the {@link Inbox}, and are acknowledged after it has committed.
 *
 * <p>Each aggregate belongs to one of the {@linkplain Builder#concurrency workers}, which handles its events in the
 * order of the queue. A worker handles what is waiting for it, up to a {@linkplain Builder#batch batch}, in one
 * transaction. If that fails, it is rolled back, and its events are handled one at a time. What becomes of an event:
 *
 * <ul>
 *   <li>handled, or known to the inbox: acknowledged;
 *   <li>an earlier event of its aggregate was given up and stored: stored behind it, and acknowledged;
 *   <li>the handler fails, by an exception, an error or an interrupt: tried again with backoff. Later events of its
 *       aggregate wait, others do not. After the last attempt it is {@linkplain GiveUp given up}: stored in the table
 *       {@code inbox_failure} for a person, or rejected, so that the broker moves it to the dead-letter exchange;
 *   <li>the handler throws an {@link EventRejectedException}: given up at once, because no retry can help;
 *   <li>it meets others at the same rows (deadlock, lock timeout, serialization failure, stale version, wherever in the
 *       chain of causes), or the failure is {@linkplain Builder#transientFailures transient}: tried again after longer
 *       waits, and no attempt is spent within the {@linkplain Builder#contentionPatience contention patience}; from
 *       then on each such failure spends one;
 *   <li>no valid {@code message_id}: rejected at once, because nothing can be remembered about it;
 *   <li>the database answers, but refuses to note or to store it, for example because it is too large: rejected after
 *       the third time, because it can be kept nowhere else;
 *   <li>the inbox's database is away: kept in hand and tried again; that spends no attempt. The consumer does not judge
 *       by the exception, which may be about another database or hide a lost connection. After each failure it asks the
 *       connection of that transaction, and does what the inbox needs in a new one, which it rolls back. An event may
 *       lose its connection or its database twenty times; from then on each loss spends an attempt. When the database
 *       stays away for longer than the patience, everything in hand goes back to the queue, where other instances can
 *       take it, and nothing is taken until the database answers again. So one outage, however long, costs an event at
 *       most one redelivery, and a delivery limit of the queue does not throw good events away;
 *   <li>it has come back often, because processes ended or lost the database while it was in hand: from a queue with an
 *       order it is stored, after half of the delivery limit, and handled from there; each attempt is counted before it
 *       is made, so that it is parked in the end if it is the cause. From another queue it is taken alone from the
 *       second time on: if it is the cause, it spends no other event's deliveries;
 *   <li>a person retries what was given up: handled within a second or two, and then the events behind it, under the
 *       same rules and also in batches; workers without deliveries help;
 *   <li>the virtual machine itself fails, out of memory for one: the consumer ends as {@link State#FAILED}, and the
 *       event stays in the queue. Nothing else ends it but {@link #close};
 *   <li>the connection to the broker is lost, or the broker cancels the consumer: the broker delivers again what was
 *       not acknowledged, and the inbox drops what was done. The consumer connects again, with backoff, for as long as
 *       it takes.
 * </ul>
 *
 * <p>If the queue {@linkplain ConsumerQueue#catchUp catches up}, what was published before it was bound is handled
 * first, and new events wait.
 *
 * <p>The broker does not wait for ever for an acknowledgement, by default for half an hour (its
 * {@code consumer_timeout}), and that time includes the waiting of what was sent ahead. RabbitMQ up to 4.2 then closes
 * the channel, 4.3 cancels the consumer. Either way the event is delivered again, and its effect happens once. With
 * slow handlers choose a prefetch that fits into it; a {@link ConsumerQueue} gets a longer timeout if the settings need
 * it.
 */
public final class IdempotentConsumer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** How often a broker or a database that is away is asked whether it is back. */
    private static final Backoff RECONNECT = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

    /**
     * A broker that is starting again may never answer a request for a quorum queue that has no leader yet
     * (https://github.com/rabbitmq/rabbitmq-server/issues/10070). The client would wait for ten minutes.
     */
    private static final int RPC_TIMEOUT_MILLIS = 10_000;

    /** How often the partitions and the stored events are looked at. */
    private static final Duration TICK = Duration.ofSeconds(1);

    /** After the stop timeout what is left is the broker's answers. */
    private static final Duration AFTER_STOP = Duration.ofSeconds(15);

    /** The origin of an event that no queue has delivered. */
    private static final Taken.Origin DELIVERED = new NoQueue();

    private final ConnectionFactory broker;
    private final ConsumerSettings settings;
    private final InboxEffects effects;
    private final ConsumerCounts counts = new ConsumerCounts();
    private final List<Worker> workers;
    private final WorkersHost host = new WorkersHost();
    private final Membership membership;
    private final Histories histories;
    private final Thread thread;
    private final List<Thread> helpers;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Semaphore signals = new Semaphore(0);
    private final Semaphore heartbeats = new Semaphore(0);
    private final AtomicReference<State> state = new AtomicReference<>(State.NEW);
    private final FaultLog brokerFaults = new FaultLog(LOG);
    private final FaultLog databaseFaults = new FaultLog(LOG);
    private final FaultLog storedFaults = new FaultLog(LOG);

    /** Whether a worker has lost its patience with the database, and all deliveries are to go back. */
    private volatile boolean databaseAway;

    /** Whether more stored events are due than the thread that looks for them handles at once. */
    private volatile boolean moreStored;

    /** Whether a worker has met what nobody expects, and all deliveries are to go back. */
    private volatile boolean confused;

    private volatile boolean failed;
    private volatile @Nullable ConsumerSession session;

    /** Whether queues are consumed: others take the partitions of an instance that does not reach the broker. */
    private volatile boolean connected;

    private boolean announced;

    /** How often the broker could not be reached, or did not let the queue be consumed, in a row. */
    private int brokerFailures;

    /** What becomes of an event that is given up. */
    public enum GiveUp {
        /**
         * It is stored in the table {@code inbox_failure}, until a person retries or discards it. Later events of its
         * aggregate wait behind it there.
         */
        PARK,
        /** It goes to the dead-letter exchange of its queue. Later events of its aggregate do not wait for it. */
        DEAD_LETTER
    }

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
        /** Ended, because it was closed. */
        STOPPED,
        /**
         * Ended by an error that was logged as such, without having been closed. It needs a new start of its process.
         */
        FAILED
    }

    private IdempotentConsumer(ConnectionFactory broker, ConsumerSettings settings, InboxEffects effects) {
        this.broker = broker;
        this.settings = settings;
        this.effects = effects;
        this.workers = Stream.generate(() -> new Worker(effects, settings, counts, host, System::nanoTime))
                .limit(settings.concurrency())
                .toList();
        this.membership = new Membership(effects.failures(), settings.name(), queues(settings));
        this.histories = new Histories(effects.failures(), settings.name(), settings.declaration());
        this.thread = new Thread(this::run, "outbox-consumer-" + settings.name());
        this.helpers = new ArrayList<>();
        Map<Long, Tries> failing = Collections.synchronizedMap(Tries.memory());
        OwedAttempts owed = new OwedAttempts();
        for (int number = 0; number < workers.size(); number++) {
            Worker worker = workers.get(number);
            StoredRetries retries = new StoredRetries(effects, settings, counts, System::nanoTime, failing, owed);
            helpers.add(new Thread(() -> work(worker, retries), thread.getName() + "-" + number));
        }
        StoredRetries retries = new StoredRetries(effects, settings, counts, System::nanoTime, failing, owed);
        helpers.add(new Thread(() -> retryStored(retries), thread.getName() + "-stored"));
        if (membership.isShared()) {
            helpers.add(new Thread(this::beat, thread.getName() + "-heartbeat"));
        }
    }

    private static List<String> queues(ConsumerSettings settings) {
        ConsumerQueue declaration = settings.declaration();
        return declaration == null ? List.of(settings.queue()) : declaration.queues();
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
        helpers.forEach(Thread::start);
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
        return counts.duplicates.get();
    }

    /**
     * How many deliveries were rejected, so that the broker moved them to the dead-letter exchange, since
     * {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long deadLettered() {
        return counts.deadLettered.get();
    }

    /**
     * How many events were given up and stored in the table {@code inbox_failure}, since {@link #start}; one that is
     * retried there and fails again counts again.
     *
     * @return 0 or more; it only grows
     */
    public long parked() {
        return counts.parked.get();
    }

    /**
     * How many events were stored behind an earlier one of their aggregate that was given up, since {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long waiting() {
        return counts.waiting.get();
    }

    /**
     * How often an event met others at the same rows, and was tried again for that, since {@link #start}: deadlocks,
     * lock timeouts, serialization failures, stale versions.
     *
     * @return 0 or more; it only grows
     */
    public long contentions() {
        return counts.contentions.get();
    }

    /**
     * How many events were handled and committed, duplicates not counted, since {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long handled() {
        return counts.handled.get();
    }

    /**
     * How many attempts failed and were followed by another one, whatever the reason, since {@link #start}.
     *
     * @return 0 or more; it only grows
     */
    public long retried() {
        return counts.retried.get();
    }

    /**
     * How long the transactions of the {@linkplain #handled handled} events took in all, their commits included and
     * failed attempts not.
     *
     * @return zero or more; it only grows
     */
    public Duration handlingTime() {
        return Duration.ofNanos(counts.handlingNanos.get());
    }

    /**
     * How old the {@linkplain #handled handled} events were in all when their transactions had committed: from the time
     * in the message, to the second, to that of this host's clock. An event without a time adds nothing.
     *
     * @return zero or more; it only grows
     */
    public Duration ageWhenHandled() {
        return Duration.ofMillis(counts.ageMillis.get());
    }

    /**
     * How many transactions have committed the {@linkplain #handled handled} events, since {@link #start}: the quotient
     * is the average size of a batch.
     *
     * @return 0 or more; it only grows
     */
    public long transactions() {
        return counts.transactions.get();
    }

    /**
     * Counts the events of this consumer that are in the table {@code inbox_failure} now, those that other processes
     * have stored included. It asks the database, at little cost, however many there are.
     *
     * @return the numbers by state
     * @throws MissingTableException if there is no inbox; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database refuses or is away
     */
    public StoredCounts stored() {
        return effects.failures().stored();
    }

    /**
     * How many events it works on at once.
     *
     * @return the number of its workers, 1 or more
     */
    public int concurrency() {
        return settings.concurrency();
    }

    /**
     * How many connections to the database it may use at once: one for each worker, one for the events that it has
     * stored, and one for its heartbeats or for the question whether the database is back. A partitioned queue that
     * {@linkplain ConsumerQueue#catchUp catches up} takes one more. Connections that the handler opens beside its
     * transaction are not counted.
     *
     * @return 3 or more
     */
    public int connections() {
        // Each thread uses one at a time, and the consumer's own thread none if another one sends heartbeats, and it
        // does not ask how far a history is.
        return helpers.size() + (membership.isShared() && !settings.catchesUp() ? 0 : 1);
    }

    /**
     * Into how many partitions its queue is split.
     *
     * @return 1 if it is not
     */
    public int partitions() {
        ConsumerQueue declaration = settings.declaration();
        return declaration == null ? 1 : declaration.partitions();
    }

    /**
     * The partitions that this instance consumes at this moment; it keeps them while it is on its way to the broker.
     *
     * @return the names of their queues; none if the queue is not split, or if others have all partitions
     */
    public List<String> ownPartitions() {
        return membership.own();
    }

    /**
     * Whether the history of its queue is not complete: the consumer waits for it or handles it, while new events wait
     * in the queue.
     *
     * @return false if its queue does not {@linkplain ConsumerQueue#catchUp catch up}, if the history is complete, or
     *     if that is not known yet, because the consumer has not been connected to its broker and database
     */
    public boolean isCatchingUp() {
        return histories.isCatchingUp();
    }

    /**
     * The name under which the inbox remembers events.
     *
     * @return as it was described
     */
    public String name() {
        return settings.name();
    }

    /**
     * The queue that it consumes.
     *
     * @return its name
     */
    public String queue() {
        return settings.queue();
    }

    /**
     * What its queue is bound to.
     *
     * @return empty if it consumes an existing queue, whose bindings only the broker knows, or one without bindings
     */
    public List<ConsumerQueue.Binding> bindings() {
        ConsumerQueue declaration = settings.declaration();
        return declaration == null ? List.of() : declaration.bindings();
    }

    /**
     * Handles one event now, in the calling thread, as if a queue had delivered it: in the inbox's transaction, or in
     * the caller's if there is one. It is one attempt, without retries and dead letters, and is not counted. Needs no
     * broker, and the consumer need not be started: for tests, and for an event that came by another way.
     *
     * @param event what the handler gets
     * @return false if the inbox knew the event, so that nothing was done, or if it has to wait behind one that was
     *     given up and is stored
     * @throws RuntimeException what the handler or the database threw; if the handler threw a checked exception, one
     *     that has it as cause
     */
    public boolean deliver(ReceivedEvent event) {
        Attempt attempt = effects.attempt();
        boolean interrupted = Thread.interrupted();
        Result result;
        try {
            result = effects.handle(List.of(new Taken(DELIVERED, 0, event, false)), attempt);
        } finally {
            // The thread is the caller's, and so is its flag, which an attempt takes down.
            if (interrupted || attempt.wasInterrupted()) {
                Thread.currentThread().interrupt();
            }
        }
        if (result.failure().isPresent()) {
            Throwable cause = result.failure().get().cause();
            if (cause instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) cause;
        }
        return result.fates().contains(Fate.HANDLED);
    }

    /**
     * Stops: takes nothing more, lets the events in work finish within the stop timeout or else interrupts them, and
     * gives back the rest. An event that is waiting to be tried again is given back at once.
     */
    @Override
    public void close() {
        if (state.compareAndSet(State.NEW, State.STOPPED)) {
            return;
        }
        stop.countDown();
        signals.release();
        heartbeats.release();
        workers.forEach(Worker::wake);
        Thread current = Thread.currentThread();
        if (current != thread && !helpers.contains(current)) {
            awaitEnd();
        }
    }

    private void awaitEnd() {
        try {
            long until =
                    System.nanoTime() + settings.stopTimeout().plus(AFTER_STOP).toNanos();
            join(thread, until);
            if (thread.isAlive()) {
                ConsumerSession current = session;
                if (current != null) {
                    current.abort();
                }
                thread.interrupt();
            }
            // They use the database, which the caller may close next.
            for (Thread helper : helpers) {
                join(helper, until);
                helper.interrupt();
            }
        } catch (InterruptedException e) {
            thread.interrupt();
            helpers.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for its end until a time of {@link System#nanoTime}. */
    private static void join(Thread ending, long until) throws InterruptedException {
        ending.join(Math.max(1, Duration.ofNanos(until - System.nanoTime()).toMillis()));
    }

    private void run() {
        State end = State.FAILED;
        try {
            consumeUntilStopped();
            end = failed ? State.FAILED : State.STOPPED;
        } catch (RuntimeException | Error e) {
            LOG.error("The consumer {} has ended; its unfinished events will be delivered again", settings.name(), e);
            throw e;
        } finally {
            stop.countDown();
            session = null;
            state.set(end);
        }
    }

    private void consumeUntilStopped() {
        int bugs = 0;
        while (!stopping()) {
            state.set(State.CONNECTING);
            confused = false;
            try (ConsumerSession opened =
                    ConsumerSession.open(broker, settings, this::dispatch, counts, signals::release)) {
                consume(opened);
                finish(opened);
            } catch (IOException | TimeoutException | ShutdownSignalException e) {
                if (!stopping()) {
                    brokerFaults.fault(
                            "The consumer " + settings.name() + " of the queue " + settings.queue()
                                    + " has no connection to the broker and reconnects",
                            e);
                    pause(RECONNECT.after(++brokerFailures));
                }
            } catch (RuntimeException e) {
                LOG.error("The consumer {} met an unexpected error and reconnects", settings.name(), e);
                pause(RECONNECT.after(++bugs));
            }
            workers.forEach(Worker::forgetArrivals);
            if (confused) {
                pause(RECONNECT.after(++bugs));
            }
            if (databaseAway) {
                awaitDatabase();
            }
        }
    }

    private void consume(ConsumerSession opened) throws IOException, TimeoutException {
        session = opened;
        histories.begin();
        connected = true;
        heartbeats.release();
        try {
            while (!stopping() && !databaseAway && !confused) {
                histories.consume(opened, membership.queues());
                if (membership.isKnown()
                        && histories.isKnown()
                        && state.getAndSet(State.CONSUMING) != State.CONSUMING) {
                    arrived();
                }
                await(signals);
            }
        } finally {
            connected = false;
        }
    }

    private void arrived() {
        brokerFailures = 0;
        brokerFaults.recovered("The consumer " + settings.name() + " is connected again");
        if (!announced) {
            LOG.info("The consumer {} consumes the queue {}", settings.name(), settings.queue());
            announced = true;
        }
    }

    /** Heartbeats while queues are consumed, until the consumer ends. */
    private void beat() {
        try {
            while (!stopping()) {
                if (connected && !databaseAway && membership.beat()) {
                    signals.release();
                }
                await(heartbeats);
            }
            membership.leave();
        } catch (Error e) {
            end(e);
            throw e;
        }
    }

    /** Waits for the signal, for a tick at most. */
    private void await(Semaphore signal) {
        try {
            if (signal.tryAcquire(TICK.toNanos(), TimeUnit.NANOSECONDS)) {
                signal.drainPermits();
            }
        } catch (InterruptedException e) {
            LOG.debug("The consumer {} was interrupted, and continues unless it was closed", settings.name());
        }
    }

    /** Lets what is in work finish, if the consumer is to end. */
    private void finish(ConsumerSession opened) {
        if (!stopping()) {
            return;
        }
        try {
            if (!opened.awaitIdle(settings.stopTimeout())) {
                LOG.warn(
                        "The consumer {} did not finish its current events within {}: they are interrupted, and will be"
                                + " delivered again",
                        settings.name(),
                        settings.stopTimeout());
                opened.abort();
                helpers.forEach(Thread::interrupt);
            }
        } catch (InterruptedException e) {
            opened.abort();
            helpers.forEach(Thread::interrupt);
        }
    }

    /** Called by the threads of the broker's client. */
    private void dispatch(Taken taken) {
        int hash = Aggregate.of(taken.event()).hashCode();
        workers.get(Math.floorMod(hash ^ hash >>> 16, workers.size())).add(taken);
    }

    /** A worker without deliveries helps with stored events, so that they are handled as fast as delivered ones. */
    private void work(Worker worker, StoredRetries retries) {
        while (!stopping()) {
            try {
                if (databaseAway || confused) {
                    worker.forget();
                    pause(Tries.RECONNECT.first());
                } else if (!worker.step() && !(moreStored && retry(retries))) {
                    worker.await();
                }
            } catch (DatabaseAwayException e) {
                databaseAway = true;
                signals.release();
            } catch (InterruptedException e) {
                LOG.debug("The consumer {} was interrupted, and continues unless it was closed", settings.name());
            } catch (RuntimeException e) {
                LOG.error("The consumer {} met an unexpected error and reconnects", settings.name(), e);
                confused = true;
                signals.release();
            } catch (Error e) {
                end(e);
                throw e;
            }
        }
    }

    private void end(Error error) {
        LOG.error("The consumer {} has ended; its unfinished events will be delivered again", settings.name(), error);
        failed = true;
        close();
    }

    private void retryStored(StoredRetries retries) {
        while (!stopping()) {
            try {
                if (databaseAway || !retry(retries)) {
                    pause(TICK);
                }
            } catch (Error e) {
                end(e);
                throw e;
            }
        }
    }

    private void moreStored(boolean more) {
        boolean news = more && !moreStored;
        moreStored = more;
        if (news) {
            workers.forEach(Worker::wake);
        }
    }

    /** Returns false if there was nothing to do, or nothing could be done. */
    private boolean retry(StoredRetries retries) {
        try {
            int tried = retries.turn(this::stopping, this::moreStored);
            storedFaults.recovered("The consumer " + settings.name() + " can use the table inbox_failure again");
            return tried > 0;
        } catch (RuntimeException e) {
            moreStored(false);
            if (Causes.sayContention(e)) {
                LOG.debug("The consumer {} met others at the table inbox_failure, and tries again", settings.name(), e);
                return false;
            }
            storedFaults.fault("The consumer " + settings.name() + " cannot use the table inbox_failure", e);
            return false;
        }
    }

    private void awaitDatabase() {
        state.set(State.WAITING_FOR_DATABASE);
        int failures = 0;
        while (!stopping() && !databaseAnswers()) {
            pause(RECONNECT.after(++failures));
        }
        databaseAway = false;
    }

    private boolean databaseAnswers() {
        try {
            effects.probe();
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

    /** Shorter if somebody interrupts the thread: only {@link #close} says that the consumer is to end. */
    private void pause(Duration time) {
        try {
            stop.await(time.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            LOG.debug("The consumer {} was interrupted, and continues unless it was closed", settings.name());
        }
    }

    /** What the workers see of the consumer. */
    private final class WorkersHost implements Worker.Host {

        @Override
        public boolean stopping() {
            return IdempotentConsumer.this.stopping();
        }

        @Override
        public boolean databaseWasAway() throws DatabaseAwayException {
            long began = System.nanoTime();
            int failures = 0;
            while (!stopping() && !databaseAnswers()) {
                if (databaseAway
                        || System.nanoTime() - began >= settings.patience().toNanos()) {
                    throw new DatabaseAwayException();
                }
                pause(Tries.RECONNECT.after(++failures));
            }
            return failures > 0;
        }
    }

    /** Where an event comes from that {@link #deliver} gets. */
    private record NoQueue() implements Taken.Origin {

        @Override
        public String queue() {
            return "";
        }

        @Override
        public boolean begin() {
            return true;
        }

        @Override
        public void end() {
            // nothing was begun at a broker
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void done(Taken taken) {
            // no broker waits for it
        }

        @Override
        public void reject(Taken taken) {
            // no broker waits for it
        }
    }

    /** Handles the events of a batch one after the other, until one fails or somebody interrupts the thread. */
    private record OneByOne(EventHandler handler, Spans spans, String consumer, String queue) implements BatchHandler {

        @Override
        public void handle(List<ReceivedEvent> events) throws Exception {
            for (ReceivedEvent event : events) {
                traced(spans.handling(event, consumer, queue), () -> handler.handle(event));
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
            }
        }
    }

    /** Handles the events of a batch at once. */
    private record AtOnce(BatchHandler handler, Spans spans, String consumer, String queue) implements BatchHandler {

        @Override
        public void handle(List<ReceivedEvent> events) throws Exception {
            traced(spans.handling(events, consumer, queue), () -> handler.handle(events));
        }
    }

    /** A call of the user's handler. */
    @FunctionalInterface
    private interface Call {

        void run() throws Exception;
    }

    private static void traced(Spans.Handling span, Call call) throws Exception {
        try (span) {
            try {
                call.run();
            } catch (Exception | Error e) {
                span.failed(e);
                throw e;
            }
        }
    }

    /** Describes an {@link IdempotentConsumer}. */
    public static final class Builder {

        private final ConnectionFactory broker;
        private final Inbox inbox;
        private String name = "";
        private String queue = "";
        private @Nullable ConsumerQueue declaration;
        private List<Address> addresses = List.of();
        private int concurrency = 1;
        private int batch = ConsumerSettings.AUTOMATIC;
        private int prefetch = ConsumerSettings.AUTOMATIC;
        private long prefetchBytes = 64L << 20;
        private GiveUp giveUp = GiveUp.PARK;
        private int attempts = 5;
        private Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));
        private Duration patience = Duration.ofSeconds(20);
        private Duration contentionPatience = Duration.ofMinutes(5);
        private Duration stopTimeout = Duration.ofSeconds(20);
        private Predicate<Throwable> transientFailures = failure -> false;
        private @Nullable EventHandler handler;
        private @Nullable BatchHandler batchHandler;

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
         * Consumes an existing queue. It must have a dead-letter exchange: otherwise messages that cannot be handled
         * nor stored are lost. Events of one aggregate stay in order as long as one instance runs, since the consumer
         * does not know how the queue was declared; to keep the order with several, let it
         * {@linkplain #queue(ConsumerQueue) declare} the queue.
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
         * The nodes of a cluster, which are tried in this order at every connection, instead of the one host of the
         * connection factory.
         *
         * @param addresses none by default
         * @return this
         */
        public Builder addresses(List<Address> addresses) {
            this.addresses = List.copyOf(addresses);
            return this;
        }

        /**
         * How many events may be in work at once, each in a thread of its own and with a connection of the database's
         * pool. The events of one aggregate are handled one after the other, in the order of the queue.
         *
         * @param workers 1 to 1000, default 1. The handler must be safe for so many threads.
         * @return this
         */
        public Builder concurrency(int workers) {
            this.concurrency = workers;
            return this;
        }

        /**
         * How many events may be handled in one transaction. A worker takes what is waiting for it, and fewer while its
         * transactions last longer than about 200 ms. If the handler fails, the transaction is rolled back and its
         * events are handled one at a time.
         *
         * @param events 1 to 10000, default 100 or a smaller prefetch; 1 for a handler that does much outside of its
         *     transaction
         * @return this
         */
        public Builder batch(int events) {
            this.batch = events;
            return this;
        }

        /**
         * How many deliveries the broker may send ahead. What is sent ahead waits in memory. All instances of a
         * consumer should have the same number: if one with a smaller one takes over, and ends before it has handled
         * what came back, the broker changes the order of the events.
         *
         * @param deliveries the size of a batch to 65535; by default four batches of each worker, 100 to 5000
         * @return this
         */
        public Builder prefetch(int deliveries) {
            this.prefetch = deliveries;
            return this;
        }

        /**
         * How many bytes may wait in memory. When more are sent ahead, the consumer gives back what it has not begun,
         * and takes fewer deliveries ahead from then on. If it ends before it has handled what it gave back, the broker
         * may change the order of these events; with large events choose a smaller {@link #prefetch} instead.
         *
         * @param bytes of payloads, default 64 MiB
         * @return this
         */
        public Builder prefetchBytes(long bytes) {
            this.prefetchBytes = bytes;
            return this;
        }

        /**
         * What becomes of an event that is given up.
         *
         * @param giveUp default {@link GiveUp#PARK}
         * @return this
         */
        public Builder onGiveUp(GiveUp giveUp) {
            this.giveUp = giveUp;
            return this;
        }

        /**
         * Which failures of the handler end by themselves, for example those of a service that it calls: they spend no
         * attempt within the {@linkplain #contentionPatience contention patience}. Spring's
         * {@code TransientDataAccessException} is always one.
         *
         * @param failures asked about each exception in the chain of causes
         * @return this
         */
        public Builder transientFailures(Predicate<Throwable> failures) {
            this.transientFailures = failures;
            return this;
        }

        /**
         * How often the handler may try an event before it is given up.
         *
         * @param attempts at least 1, default 5
         * @return this
         */
        public Builder attempts(int attempts) {
            this.attempts = attempts;
            return this;
        }

        /**
         * The waits between two attempts: twice as long each time, half of it at random. Later events of the aggregate
         * wait too, others do not.
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
         * How long an event is kept in hand while the database is away, before everything in hand goes back to the
         * queue until the database answers.
         *
         * @param patience default 20 s
         * @return this
         */
        public Builder patience(Duration patience) {
            this.patience = patience;
            return this;
        }

        /**
         * How long an event may meet contention without spending attempts, counted from its first deadlock, lock
         * timeout or the like, or from a failure that is transient. Later events of its aggregate wait meanwhile.
         *
         * @param patience default 5 min; zero if contention is to spend attempts as any failure does
         * @return this
         */
        public Builder contentionPatience(Duration patience) {
            this.contentionPatience = patience;
            return this;
        }

        /**
         * How long {@link IdempotentConsumer#close} lets the events in work finish.
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
            this.batchHandler = null;
            return this;
        }

        /**
         * What to do about several events at once, in the place of {@link #handler}.
         *
         * @param handler called in the inbox's transaction
         * @return this
         */
        public Builder batchHandler(BatchHandler handler) {
            this.batchHandler = handler;
            this.handler = null;
            return this;
        }

        /**
         * Checks the description; nothing is started.
         *
         * @return a consumer to be {@linkplain IdempotentConsumer#start started}
         * @throws IllegalArgumentException if something is missing or out of range
         */
        public IdempotentConsumer build() {
            Spans spans = Spans.ofClassPath(IdempotentConsumer.class.getClassLoader());
            BatchHandler effect;
            if (handler != null) {
                effect = new OneByOne(handler, spans, name, queue);
            } else if (batchHandler != null) {
                effect = new AtOnce(batchHandler, spans, name, queue);
            } else {
                throw new IllegalArgumentException("The consumer " + name + " has no handler");
            }
            ConsumerSettings settings = new ConsumerSettings(
                    name,
                    queue,
                    declaration,
                    addresses,
                    concurrency,
                    batch,
                    prefetch,
                    prefetchBytes,
                    giveUp,
                    attempts,
                    backoff,
                    patience,
                    contentionPatience,
                    stopTimeout);
            return new IdempotentConsumer(
                    broker,
                    settings,
                    new InboxEffects(inbox, name, effect, transientFailures, settings.isOrdered(), System::nanoTime));
        }
    }
}
