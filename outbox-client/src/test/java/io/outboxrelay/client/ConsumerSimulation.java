package io.outboxrelay.client;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.SimulatedBroker.Message;
import io.outboxrelay.client.SimulatedDatabase.State;
import io.outboxrelay.client.SimulatedDatabase.Stored;
import io.outboxrelay.client.SimulatedWorld.Crash;
import io.outboxrelay.client.Tries.Backoff;
import io.outboxrelay.client.Worker.DatabaseAwayException;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Some instances of one consumer, its broker and its database, in one thread, with every choice made by a seed. The
 * instances run the real {@link Worker}, {@link Subscription}, {@link InboxEffects}, {@link StoredRetries} and
 * {@link Membership}; the broker's channels and the database's statements are simulated, and so are the threads of
 * {@link IdempotentConsumer}. Whenever one of them asks the broker or the database, or handles an event, other things
 * may happen first: other threads and instances work, the asking one is frozen meanwhile; an instance crashes or stops;
 * connections break, answers are lost, the database is away; people retry and discard what is parked.
 */
final class ConsumerSimulation {

    private static final String CONSUMER = "billing";
    private static final int AGGREGATES = 4;
    private static final int EVENTFUL_STEPS = 35;
    private static final int CALM_STEPS = 10_000;
    private static final boolean TRACE = Boolean.getBoolean("simulation.trace");
    private static final int MOST_PUBLISHED = 30;
    private static final int DEEPEST = 3;

    private final Random random;
    private final double trouble;
    private final ConsumerSettings settings;
    private final ConsumerQueue declaration;
    private final World world = new World();
    private final SimulatedDatabase database;
    private final SimulatedBroker broker;
    private final DataSource dataSource;
    private final DataSourceTransactionManager transactions;
    private final TransactionTemplate elsewhere;
    private final Inbox inbox;
    private final List<Process> processes = new ArrayList<>();
    private final Deque<Task> running = new ArrayDeque<>();
    private final Map<UUID, Published> published = new LinkedHashMap<>();
    private final Map<String, Integer> lastNumbers = new HashMap<>();
    private final Judge judge = new Judge();
    private final List<String> history = new ArrayList<>();
    private final int mostProcesses;

    private long now = 1;
    private int started;
    private boolean calm;

    ConsumerSimulation(long seed) {
        random = new Random(seed);
        trouble = random.nextDouble() * 0.1;
        boolean ordered = random.nextInt(5) > 0;
        ConsumerQueue queue = ConsumerQueue.named("orders").withDeliveryLimit(5 + random.nextInt(16));
        declaration = !ordered ? queue.shared() : random.nextInt(3) == 0 ? queue.partitions(2) : queue;
        settings = settings(ordered);
        mostProcesses = 1 + random.nextInt(3);
        database = new SimulatedDatabase(world, judge::committed);
        broker = new SimulatedBroker(world, declaration, settings.suspectAfter(), database::isNoted);
        dataSource = database.dataSource();
        transactions = new DataSourceTransactionManager(dataSource);
        elsewhere = new TransactionTemplate(transactions);
        elsewhere.setPropagationBehavior(TransactionDefinition.PROPAGATION_NOT_SUPPORTED);
        inbox = new Inbox(
                dataSource, transactions, new DatabaseOfSource(List.of("inbox", "inbox_failure"), "public", database));
    }

    private ConsumerSettings settings(boolean ordered) {
        int batch = 1 + random.nextInt(8);
        // An ordered queue keeps its order only if nothing is returned because of its size.
        boolean small = !ordered && random.nextInt(3) == 0;
        Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2), random::nextLong);
        return new ConsumerSettings(
                CONSUMER,
                "orders",
                declaration,
                List.of(),
                1 + random.nextInt(3),
                batch,
                batch + random.nextInt(12),
                small ? 200 : 1_000_000,
                random.nextInt(4) == 0 ? GiveUp.DEAD_LETTER : GiveUp.PARK,
                1 + random.nextInt(4),
                backoff,
                Duration.ofMillis(random.nextInt(3_000)),
                Duration.ofMillis(random.nextInt(10_000)),
                Duration.ofSeconds(1));
    }

    /** What a history came to. */
    record Result(int published, int effects, Map<String, Long> faults) {}

    /** What the handler does with an event, so many times, or until a person has repaired the cause. */
    private enum Mood {
        FINE,
        FAILS,
        REJECTS,
        MEETS_OTHERS,
        IS_TRANSIENT,
        LOSES_ITS_SESSION,
        ENDS_ITS_PROCESS
    }

    /** An event, and what is known of it. */
    private static final class Published {

        private final Message message;
        private final String queue;
        private final int number;
        private final Mood mood;
        private int timesLeft;
        private int deaths;
        private int retries;
        private boolean discarded;

        Published(Message message, String queue, int number, Mood mood, int times) {
            this.message = message;
            this.queue = queue;
            this.number = number;
            this.mood = mood;
            this.timesLeft = times;
        }

        @Override
        public String toString() {
            return message.aggregate() + "#" + number + " " + mood + " " + message.id();
        }
    }

    /** Runs a history to its end and checks what came of it. */
    Result run() {
        for (int i = 0; i < EVENTFUL_STEPS; i++) {
            step();
        }
        calm = true;
        database.recover();
        int steps = 0;
        while (steps++ < CALM_STEPS && !(broker.isEmpty() && database.stored().isEmpty())) {
            step();
            parked().forEach(row -> retry(row, true));
        }
        judge.end();
        return new Result(
                published.size(),
                judge.effects.size(),
                history.stream().collect(groupingBy(Function.identity(), TreeMap::new, counting())));
    }

    List<String> history() {
        return history;
    }

    private void step() {
        worldGoesOn();
        runOne();
        pass(random.nextInt(calm ? 3_000 : 200));
        judge.require();
    }

    private void runOne() {
        if (processes.isEmpty() || processes.size() < mostProcesses && random.nextInt(4) == 0) {
            processes.add(new Process());
        }
        Process process = pick(processes);
        run(pick(random.nextBoolean() ? process.tasks : process.workersTasks()));
    }

    private void run(Task task) {
        if (task.busy || task.process.frozen || !task.process.alive) {
            return;
        }
        task.busy = true;
        running.push(task);
        try {
            task.step.run();
        } catch (Crash e) {
            task.process.end();
        } catch (RuntimeException | AssertionError e) {
            judge.violated("a thread ended by " + e);
        } finally {
            running.pop();
            task.busy = false;
        }
    }

    private void worldGoesOn() {
        pass(random.nextInt(30));
        if (!calm) {
            publish();
            peopleGoOn();
            if (world.chance(trouble / 20)) {
                world.noted("database away");
                database.goAway(Duration.ofMillis(random.nextInt(6_000)));
            }
            if (world.chance(trouble / 20)) {
                broker.cancelConsumer();
            }
        }
        broker.goesOn();
        database.goesOn();
    }

    private void publish() {
        if (published.size() < MOST_PUBLISHED && random.nextInt(10) == 0) {
            int aggregate = random.nextInt(AGGREGATES + 1);
            String name = aggregate == AGGREGATES ? "" : "order " + aggregate;
            int number = lastNumbers.merge(name, 1, Integer::sum);
            List<String> queues = declaration.queues();
            String queue = queues.get(aggregate % queues.size());
            Message message = new Message(new UUID(1, random.nextLong()), name, random.nextInt(100));
            Mood mood = random.nextInt(4) > 0 ? Mood.FINE : pick(List.of(Mood.values()));
            int times = random.nextInt(24) > 0 ? 1 + random.nextInt(3) : Integer.MAX_VALUE;
            Published event = new Published(message, queue, number, mood, times);
            published.put(message.id(), event);
            if (random.nextInt(20) == 0) {
                database.refuseToStore(message.id());
            }
            broker.publish(queue, message);
        }
        if (!published.isEmpty() && world.chance(trouble / 2)) {
            world.noted("published again");
            Published again = pick(List.copyOf(published.values()));
            broker.publish(again.queue, again.message);
        }
    }

    private List<Stored> parked() {
        return database.stored().stream()
                .filter(row -> row.state() == State.PARKED)
                .toList();
    }

    private void peopleGoOn() {
        List<Stored> parked = parked();
        if (!parked.isEmpty() && world.chance(0.05)) {
            world.noted("retry by a person");
            boolean repaired = random.nextBoolean();
            (random.nextBoolean() ? parked : List.of(pick(parked))).forEach(row -> retry(row, repaired));
        } else if (!parked.isEmpty() && world.chance(0.01)) {
            Stored row = pick(parked);
            if (database.discard(row)) {
                world.noted("discard by a person");
                published.get(row.event().id()).discarded = true;
            }
        }
    }

    private void retry(Stored row, boolean repaired) {
        if (database.retry(row)) {
            Published event = published.get(row.event().id());
            event.retries++;
            if (repaired) {
                event.timesLeft = 0;
            }
        }
    }

    private void pass(int millis) {
        now += Duration.ofMillis(millis).toNanos();
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    /** What the servers see. */
    private final class World implements SimulatedWorld {

        @Override
        public long now() {
            return now;
        }

        @Override
        public boolean chance(double probability) {
            return !calm && random.nextDouble() < probability;
        }

        @Override
        public double trouble() {
            return trouble;
        }

        @Override
        public int draw(int bound) {
            return random.nextInt(bound);
        }

        @Override
        public void noted(String fault) {
            history.add(fault);
            traced(fault);
        }

        @Override
        public void traced(Object what) {
            if (TRACE) {
                System.out.println(now / 1_000_000 + " " + running + " " + what);
            }
        }

        @Override
        public void violated(String how) {
            judge.violated(how);
        }

        @Override
        public Object caller() {
            return running.peek().process;
        }

        @Override
        public boolean isAlive(Object process) {
            return ((Process) process).alive;
        }

        @Override
        public boolean takes(Object process) {
            Process taking = (Process) process;
            return taking.alive && !taking.frozen && !taking.locked;
        }

        @Override
        public void meanwhile() {
            Process caller = running.peek().process;
            worldGoesOn();
            faultsOf(caller);
            if (running.size() < DEEPEST && random.nextInt(calm ? 100 : 20) == 0) {
                letOthersRun(caller, random.nextBoolean());
            }
            if (!caller.alive) {
                throw new Crash();
            }
        }

        @Override
        public void freeze() {
            if (running.size() < DEEPEST && chance(trouble / 3)) {
                letOthersRun(running.peek().process, true);
            }
        }

        @Override
        public void meanwhileElsewhere() {
            Process caller = running.peek().process;
            caller.locked = true;
            faultsOf(caller);
            if (running.size() < DEEPEST && random.nextInt(calm ? 100 : 30) == 0) {
                letOthersRun(caller, true);
            }
            caller.locked = false;
            if (!caller.alive) {
                throw new Crash();
            }
        }
    }

    private void faultsOf(Process caller) {
        if (world.chance(trouble / 15)) {
            world.noted("crash");
            caller.end();
        } else if (world.chance(trouble / 15)) {
            broker.loseConnection(caller);
        } else if (world.chance(trouble / 60)) {
            world.noted("stop");
            caller.stopping = true;
        }
    }

    /** Other threads of the caller run, or it is frozen and only others are. */
    private void letOthersRun(Process caller, boolean frozen) {
        boolean before = caller.frozen;
        if (frozen) {
            world.noted("freeze");
            caller.frozen = true;
            if (world.chance(0.5)) {
                broker.loseConnection(caller);
            }
        }
        int most = !frozen || running.size() > 1 ? 10 : random.nextInt(4) > 0 ? 30 : 100;
        elsewhere.executeWithoutResult(status -> {
            for (int i = random.nextInt(most); i > 0; i--) {
                runOne();
                pass(random.nextInt(100));
                worldGoesOn();
            }
        });
        caller.frozen = before;
    }

    /** A thread of a process, in steps. */
    private static final class Task {

        private final Process process;
        private final String name;
        private final Runnable step;
        private boolean busy;

        Task(Process process, String name, Runnable step) {
            this.process = process;
            this.name = name;
            this.step = step;
        }

        @Override
        public String toString() {
            return process.number + "-" + name;
        }
    }

    /** One instance of the consumer: what its threads do, in steps, as {@link IdempotentConsumer} lets them. */
    private final class Process implements Worker.Host {

        private final int number = ++started;
        private final ConsumerCounts counts = new ConsumerCounts();
        private final InboxEffects effects =
                new InboxEffects(inbox, CONSUMER, this::handle, failure -> false, settings.isOrdered(), () -> now);
        private final List<Worker> workers = Stream.generate(
                        () -> new Worker(effects, settings, counts, this, () -> now))
                .limit(settings.concurrency())
                .toList();
        private final Map<Long, Tries> failing = Tries.memory();
        private final OwedAttempts owed = new OwedAttempts();
        private final Membership membership = new Membership(effects.failures(), CONSUMER, declaration.queues());
        private final ConnectionFactory factory = broker.factory(this);
        private final List<Task> tasks = new ArrayList<>();

        private @Nullable ConsumerSession session;
        private boolean databaseAway;
        private boolean moreStored;
        private boolean stopping;
        private boolean alive = true;
        private boolean frozen;
        private boolean locked;

        Process() {
            tasks.add(new Task(this, "main", this::consume));
            StoredRetries own = storedRetries();
            tasks.add(new Task(this, "stored", () -> retryStored(own)));
            tasks.add(new Task(this, "heartbeat", this::beat));
            for (Worker worker : workers) {
                StoredRetries help = storedRetries();
                tasks.add(new Task(this, "worker " + tasks.size(), () -> work(worker, help)));
            }
        }

        private StoredRetries storedRetries() {
            return new StoredRetries(effects, settings, counts, () -> now, failing, owed);
        }

        List<Task> workersTasks() {
            return tasks.subList(tasks.size() - workers.size(), tasks.size());
        }

        void end() {
            alive = false;
            processes.remove(this);
        }

        private void consume() {
            try {
                if (session == null) {
                    connect();
                } else if (stopping) {
                    if (session.awaitIdle(Duration.ZERO) || world.chance(0.2)) {
                        disconnect();
                    }
                } else if (databaseAway) {
                    disconnect();
                } else {
                    session.consume(membership.queues());
                }
            } catch (IOException | TimeoutException | ShutdownSignalException e) {
                disconnect();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private void connect() throws IOException, TimeoutException {
            if (stopping) {
                beat();
                throw new Crash();
            }
            if (databaseAway) {
                databaseAway = !answers();
            } else {
                session = ConsumerSession.open(factory, settings, this::dispatch, counts, () -> {});
                session.consume(membership.queues());
            }
        }

        private void disconnect() {
            ConsumerSession ended = session;
            if (ended != null) {
                ended.close();
            }
            session = null;
            workers.forEach(Worker::forgetArrivals);
        }

        private void dispatch(Taken taken) {
            int hash = Aggregate.of(taken.event()).hashCode();
            workers.get(Math.floorMod(hash ^ hash >>> 16, workers.size())).add(taken);
        }

        private void beat() {
            if (membership.isShared() && stopping) {
                membership.leave();
            } else if (membership.isShared() && session != null && !databaseAway) {
                membership.beat();
            }
        }

        private void work(Worker worker, StoredRetries help) {
            if (stopping) {
                return;
            }
            try {
                if (databaseAway) {
                    worker.forget();
                } else if (!worker.step() && moreStored) {
                    retryStored(help);
                }
            } catch (DatabaseAwayException e) {
                world.noted("patience lost");
                databaseAway = true;
            } catch (RuntimeException e) {
                judge.violated("a worker failed with " + e);
            }
        }

        private void retryStored(StoredRetries storedRetries) {
            if (stopping || databaseAway) {
                return;
            }
            try {
                storedRetries.turn(() -> stopping, more -> moreStored = more);
            } catch (RuntimeException e) {
                moreStored = false;
                world.noted("stored events not handled");
            }
        }

        @Override
        public boolean stopping() {
            return stopping;
        }

        @Override
        public boolean databaseWasAway() throws DatabaseAwayException {
            long began = now;
            int failures = 0;
            while (!stopping && !answers()) {
                if (databaseAway || now - began >= settings.patience().toNanos()) {
                    throw new DatabaseAwayException();
                }
                failures++;
                pass(random.nextInt(500));
                world.meanwhile();
            }
            return failures > 0;
        }

        private boolean answers() {
            try {
                effects.probe();
                return true;
            } catch (RuntimeException e) {
                return false;
            }
        }

        private void handle(List<ReceivedEvent> events) throws SQLException {
            for (ReceivedEvent event : events) {
                world.meanwhile();
                world.freeze();
                act(published.get(event.id()));
                database.effect(dataSource, event);
            }
        }

        private void act(Published event) throws SQLException {
            if (event.mood == Mood.FINE || event.timesLeft <= 0) {
                return;
            }
            event.timesLeft--;
            world.noted("handler " + event.mood);
            switch (event.mood) {
                case FAILS -> throw new IllegalStateException("fails");
                case REJECTS -> throw new EventRejectedException("rejected");
                case MEETS_OTHERS -> throw new IllegalStateException(new SQLException("deadlock", "40P01"));
                case IS_TRANSIENT -> throw new TransientDataAccessResourceException("away");
                case LOSES_ITS_SESSION -> database.loseSession(dataSource);
                case ENDS_ITS_PROCESS -> {
                    event.deaths++;
                    throw new Crash();
                }
                default -> throw new AssertionError(event.mood);
            }
        }
    }

    /** Says whether all is right. */
    private final class Judge {

        private final Set<UUID> effects = new HashSet<>();
        private final Map<String, Integer> last = new HashMap<>();
        private @Nullable String violation;

        /** Thrown later, because whoever calls may take an error for a failure of the handler. */
        void violated(String how) {
            if (violation == null) {
                violation = how;
            }
        }

        void require() {
            if (violation != null) {
                throw new AssertionError(violation);
            }
        }

        void committed(ReceivedEvent committed) {
            Published event = published.get(committed.id());
            if (!effects.add(committed.id())) {
                violated("a second effect of " + event);
            }
            if (event.discarded) {
                violated("an effect of an event that was discarded: " + event);
            }
            boolean free = event.message.aggregate().isEmpty()
                    || !declaration.ordered()
                    // Later events do not wait for what goes to the dead letters, and it may come back.
                    || isDead(committed.id());
            if (!free) {
                Integer before = last.put(event.message.aggregate(), event.number);
                if (before != null && before > event.number) {
                    violated("the effect of " + event + " came after that of number " + before);
                }
            }
        }

        private boolean isDead(UUID id) {
            return broker.rejected.contains(id) || broker.deadLetters.contains(id);
        }

        void end() {
            require();
            if (!broker.isEmpty()) {
                violated("left in the queue for ever: " + broker.left());
            }
            if (!database.stored().isEmpty()) {
                violated("left in the table inbox_failure for ever: " + database.stored());
            }
            for (Published event : published.values()) {
                if (!effects.contains(event.message.id())
                        && !event.discarded
                        && !broker.deadLetters.contains(event.message.id())) {
                    violated("lost: " + event);
                }
                if (broker.rejected.contains(event.message.id())
                        && settings.giveUp() == GiveUp.PARK
                        && database.canBeStored(event.message.id())) {
                    violated("rejected instead of being parked: " + event);
                }
                int mostDeaths = broker.unsuspected.getOrDefault(event.message.id(), 0)
                        + (1 + event.retries) * (settings.attempts() + 1);
                boolean apart =
                        declaration.ordered() && !event.message.aggregate().isEmpty();
                if (apart && event.deaths > mostDeaths) {
                    violated("ended " + event.deaths + " processes instead of at most " + mostDeaths + ": " + event);
                }
            }
            require();
        }
    }
}
