package io.outboxrelay.bench;

import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.Preference;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.QueueReader;
import io.outboxrelay.testservers.ServiceEvent;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Two services with a database server each, one broker, two relays that serve both, one reader for each ledger, and
 * instances of a consumer with a database server of its own. Faults befall the servers, the relays and the consumers,
 * people retry and pause; in the end all is up again, everything must have arrived and had its effect, and is judged.
 * Closing it ends everything that it started.
 */
final class ChaosRun implements AutoCloseable {

    private static final List<String> SOURCES = List.of("orders", "payments");
    private static final List<String> RELAYS = List.of("relay-a", "relay-b");
    private static final List<String> CONSUMERS = List.of("consumer-a", "consumer-b");

    /** Joins them under load, when its fate says so. */
    private static final String LATE_CONSUMER = "consumer-c";

    private static final Duration LONGEST_CATCHING_UP = Duration.ofMinutes(3);

    private static final Duration LONGEST_START = Duration.ofMinutes(1);

    /** Once the outboxes are empty, missing events count as lost after this time without an arrival or an effect. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(30);

    private static final int LOOKS_PER_LINE = 10;
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(500);

    private final Chronicle chronicle;
    private final SplittableRandom random;
    private final Deque<Runnable> ends = new ArrayDeque<>();
    private final List<ChaosSource> sources = new ArrayList<>();
    private final List<Arrivals> arrivals = new ArrayList<>();
    private final List<ProcessVictim> processes = new ArrayList<>();
    private final List<Victim> victims = new ArrayList<>();
    private @Nullable ChaosEffects effects;
    private @Nullable People people;

    /**
     * Starts nothing.
     *
     * @param seed decides which faults there will be, and when
     */
    ChaosRun(long seed, Chronicle chronicle) {
        this.random = new SplittableRandom(seed);
        this.chronicle = chronicle;
    }

    /** Starts the servers, the consumers and the relays, and the readers. */
    void start(Path jar, Path folder, WrongClock clock, QueueKind kind) throws Exception {
        for (String name : SOURCES) {
            ChaosSource source = new ChaosSource(name, startDatabase(name));
            source.install();
            sources.add(source);
        }
        TestDatabase inbox = startDatabase(ChaosConsumer.CONSUMER);
        effects = new ChaosEffects(inbox.dataSource());
        effects.install(inbox.dataSource());
        PrivateRabbitMq broker = started(
                io.outboxrelay.testservers.Servers.startPrivateRabbitMq(Preference.INSTALLED_FIRST),
                PrivateRabbitMq::close);
        if (broker.name().startsWith("embedded")) {
            throw new IllegalStateException(
                    "NO SERVER: only the embedded broker could be started, which cannot be killed;"
                            + " install RabbitMQ or start a container engine");
        }
        chronicle.tell("broker is " + broker.name());
        TestVirtualHost host = broker.newVirtualHost();
        ChaosQueues queues = new ChaosQueues(broker, host, SOURCES, kind);
        victims.add(new BrokerVictim(broker, queues, chronicle));
        startConsumers(inbox, host, folder, clock);
        for (String name : RELAYS) {
            RelayFile file = new RelayFile(name, host.amqpUri(), sources, inbox);
            victim(new ChaosRelay(file, jar, folder), folder, clock).start(random.split());
        }
        people = new People(new RelayFile("people", host.amqpUri(), sources, inbox), jar, folder, chronicle);
        victims.add(people);
        awaitConsumers();
        queues.declare();
        queues.declareGuests();
        for (String source : SOURCES) {
            Arrivals arrived = new Arrivals();
            arrivals.add(arrived);
            started(
                    new QueueReader(
                            queues.connectionFactory(),
                            ChaosQueues.ledger(source),
                            (properties, body, redelivered) -> arrived.add(ServiceEvent.read(properties, body))),
                    QueueReader::close);
        }
    }

    private void startConsumers(TestDatabase inbox, TestVirtualHost host, Path folder, WrongClock clock)
            throws IOException {
        for (String name : CONSUMERS) {
            victim(new ChaosConsumer(name, inbox, host.amqpUri()), folder, clock)
                    .start(random.split());
        }
        victim(new ChaosConsumer(LATE_CONSUMER, inbox, host.amqpUri()), folder, clock);
    }

    /** Returns when their queue is declared: from then on no event misses it. */
    private void awaitConsumers() throws InterruptedException {
        long begun = System.nanoTime();
        while (effects().instances() == 0) {
            if (System.nanoTime() - begun > LONGEST_START.toNanos()) {
                throw new IllegalStateException("no consumer has started within " + LONGEST_START);
            }
            TimeUnit.MILLISECONDS.sleep(BETWEEN_LOOKS.toMillis());
        }
    }

    private ProcessVictim victim(ProcessVictim.Program program, Path folder, WrongClock clock) {
        ProcessVictim victim = started(new ProcessVictim(program, folder, clock, chronicle), ProcessVictim::close);
        processes.add(victim);
        victims.add(victim);
        return victim;
    }

    private TestDatabase startDatabase(String name) {
        PrivateServer<Postgres> server = started(
                io.outboxrelay.testservers.Servers.startPrivatePostgres(Preference.INSTALLED_FIRST),
                PrivateServer::close);
        chronicle.tell("database of %s is %s".formatted(name, server.name()));
        victims.add(new DatabaseVictim("database of " + name, server, chronicle));
        return server.newDatabase();
    }

    /** Lets the services write and faults happen for a time; returns when everything is running again. */
    void strike(Duration time) throws Exception {
        List<ChaosWriters> services = new ArrayList<>();
        for (ChaosSource source : sources) {
            services.add(started(new ChaosWriters(source, random.split()), ChaosWriters::close));
        }
        long end = System.nanoTime() + time.toNanos();
        ExecutorService threads = Executors.newFixedThreadPool(victims.size());
        try {
            List<Future<Void>> fates = new ArrayList<>();
            for (Victim victim : victims) {
                fates.add(threads.submit(new Fate(victim, random.split(), end)));
            }
            for (Future<Void> fate : fates) {
                fate.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(1, TimeUnit.MINUTES);
        }
        for (ProcessVictim process : processes) {
            process.running(random.split());
        }
        services.forEach(ChaosWriters::close);
        chronicle.tell("faults are over");
    }

    /**
     * Waits until the outboxes are empty and everything has arrived and had its effect, and judges.
     *
     * @return the comparison of committed events, arrived events and effects, even after a time-out
     */
    Verdict judge() throws SQLException, IOException, InterruptedException {
        List<Set<ServiceEvent>> committed = new ArrayList<>();
        for (ChaosSource source : sources) {
            committed.add(source.committed());
        }
        catchUp(committed);
        Verdict verdict = Verdict.ofProcesses(
                processes.stream()
                        .flatMap(process -> process.ownEnds().stream())
                        .toList(),
                effects().progress());
        for (int number = 0; number < sources.size(); number++) {
            ChaosSource source = sources.get(number);
            verdict = verdict.and(Verdict.of(
                    source.name(),
                    committed.get(number),
                    arrivals.get(number),
                    source.backlog(),
                    effects().of(source.name())));
        }
        return verdict;
    }

    /** Returns when all has arrived and had its effect, or when it will not any more. */
    private void catchUp(List<Set<ServiceEvent>> committed) throws SQLException, IOException, InterruptedException {
        long begun = System.nanoTime();
        long moved = begun;
        Progress before = Progress.NONE;
        for (int look = 0; ; look++) {
            Progress now = progress();
            moved = now.equals(before) ? moved : System.nanoTime();
            before = now;
            boolean over = now.isOver(committed);
            boolean tooLong = System.nanoTime() - begun > LONGEST_CATCHING_UP.toNanos();
            boolean stuck = now.isIdle() && System.nanoTime() - moved > LONGEST_SILENCE.toNanos();
            if (over || tooLong || stuck || look % LOOKS_PER_LINE == 0) {
                chronicle.tell(now.describe(SOURCES, committed));
                // What was parked before the faults were over, or shortly afterwards.
                if (people != null && now.hasFailures()) {
                    people.retry();
                }
                if (people != null && now.consumers().stored() > 0) {
                    people.retryStored();
                }
            }
            if (over) {
                return;
            }
            if (tooLong || stuck) {
                chronicle.tell(stuck ? "no more events can arrive" : "gave up waiting for events");
                return;
            }
            TimeUnit.MILLISECONDS.sleep(BETWEEN_LOOKS.toMillis());
        }
    }

    private Progress progress() throws SQLException {
        List<ChaosSource.Backlog> backlogs = new ArrayList<>();
        for (ChaosSource source : sources) {
            backlogs.add(source.backlog());
        }
        return new Progress(
                arrivals.stream().map(Arrivals::count).toList(),
                backlogs,
                effects().progress());
    }

    private ChaosEffects effects() {
        return Objects.requireNonNull(effects, "not started");
    }

    private <T> T started(T part, Consumer<T> end) {
        ends.push(() -> end.accept(part));
        return part;
    }

    @Override
    public void close() {
        while (!ends.isEmpty()) {
            ends.pop().run();
        }
    }
}
