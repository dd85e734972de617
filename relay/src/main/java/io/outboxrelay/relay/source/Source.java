package io.outboxrelay.relay.source;

import static java.util.Comparator.comparingLong;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.OutboxStore.Backlog;
import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.database.OutboxStore.Stuck;
import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.LaneSettings;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.lane.WriterWatch.Writer;
import io.outboxrelay.relay.rabbitmq.Broker;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.PublishMetrics;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import io.outboxrelay.relay.rabbitmq.Silence;
import io.outboxrelay.relay.source.SourceSettings.Wakeup;
import io.outboxrelay.schema.OutboxSchema;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

/** One database and everything that relays its outbox. */
public final class Source {

    private static final Logger LOG = LoggerFactory.getLogger(Source.class);
    private static final Duration BETWEEN_GAUGES = Duration.ofSeconds(5);
    private static final Duration WRITER_IS_NAMED_AFTER = Duration.ofMinutes(1);
    /** How long giving back the leases may take once the lanes have ended or the grace period is over. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private static final int HOUSEKEEPING_CONNECTIONS = 7;

    private static final int MOST_IN_VAIN = 5;
    private static final Duration BETWEEN_LOOKS_BELOW_FLOORS = Duration.ofMinutes(1);
    private static final Duration BETWEEN_RETENTIONS = Duration.ofMinutes(5);
    private static final int MOST_STUCK_NAMED = 3;
    private static final Duration BETWEEN_PROBES_OF_SCHEMAS = Duration.ofSeconds(5);

    private static final List<String> FAILURE_STATES = List.of("retrying", "parked", "paused", "waiting");

    private final SourceSettings settings;
    private final String instance;

    /** Names this process among all that ever own a lane: its instance alone may be given to two, or to the next one. */
    private final String owner;

    private final LaneSettings laneSettings;
    private final FailurePolicy failurePolicy;
    private final BrokerSettings brokerSettings;

    private final Connections connections;
    private final OutboxStore outbox;
    private final Broker broker;
    private final PublishMetrics metrics;
    private final Drops drops = new Drops(System::nanoTime);
    private final Leases leases;
    private final Lookout lookout;
    private final PeriodicTask beats;
    private final PeriodicTask writers;
    private final PeriodicTask gauges;
    private final PeriodicTask floors;
    private final PeriodicTask pauses;
    private final @Nullable PeriodicTask retention;
    private final @Nullable SchemaGate gate;
    private final @Nullable PeriodicTask probes;
    private final BusyRetention busyRetention = new BusyRetention();
    private final AtomicReference<@Nullable Map<String, Long>> failures = new AtomicReference<>();
    private final AtomicReference<List<Stuck>> stuck = new AtomicReference<>(List.of());
    private final AtomicReference<Backlog> backlog = new AtomicReference<>(Backlog.UNKNOWN);
    private final AtomicReference<@Nullable ByRoute<Boolean>> paused = new AtomicReference<>();
    private volatile Duration longestWriter = Duration.ZERO;
    private volatile @Nullable String unusable = "the database was not reached yet";
    private @Nullable String namedWriter;
    private @Nullable String unreliable;
    private boolean subjectsReported;
    private boolean retaining;
    private int retentionsInVain;

    /**
     * @param settings the database
     * @param instance name of this relay among those that share it
     * @param broker where its events go
     * @param lane bounds of a lane's cycle
     * @param failures what follows when an event fails
     * @param lease how lanes are held
     * @param poll how often idle lanes are looked at
     * @param meters where the source's meters are registered
     */
    public Source(
            SourceSettings settings,
            String instance,
            BrokerSettings broker,
            LaneSettings lane,
            FailurePolicy failures,
            LeaseSettings lease,
            PollSettings poll,
            MeterRegistry meters) {
        this.settings = settings;
        this.instance = instance;
        this.owner = instance + "#" + UUID.randomUUID().toString().substring(0, 8);
        this.laneSettings = lane;
        this.failurePolicy = failures;
        this.brokerSettings = broker;
        String name = settings.name();
        Dialect dialect = settings.dialect();
        Duration timeout = settings.statementTimeout();
        this.connections = new Connections(
                name,
                dialect.access(settings.url(), "outbox-relay " + instance, timeout, timeout),
                settings.user(),
                settings.password(),
                timeout);
        DataSource lanes =
                connections.pool("lanes", settings.poolSize(), dialect.session(Use.LANE, settings.schema(), timeout));
        DataSource housekeeping = connections.pool(
                "housekeeping",
                HOUSEKEEPING_CONNECTIONS,
                dialect.session(Use.HOUSEKEEPING, settings.schema(), timeout));
        this.outbox = dialect.outbox(
                name, settings.schema(), lanes, housekeeping, lane.maxEventBytes(), settings.retain() != null, meters);
        this.broker = new Broker(name, instance, broker);
        this.metrics = new PublishMetrics(name, meters);
        this.lookout = new Lookout(
                name,
                outbox,
                poll,
                settings.wakeup() == Wakeup.NOTIFY ? dialect.wakeup(settings.schema(), housekeeping) : null,
                RandomGenerator.getDefault());
        connections.whenLeaving(lookout::renew);
        this.leases = new Leases(name, owner, outbox, lease.duration(), this::runner);
        this.beats = new PeriodicTask(
                name + "-leases",
                "Source " + name + ": the heartbeat in the database",
                "its lanes stop when their leases end",
                lease.heartbeat(),
                this::beat);
        this.writers = new PeriodicTask(
                name + "-writers",
                "Source " + name + ": looking at writers",
                "floors do not rise",
                lease.heartbeat(),
                this::watchWriters);
        this.pauses = new PeriodicTask(
                name + "-pauses",
                "Source " + name + ": looking for paused routes",
                "paused routes stay paused, and nothing is published before the first look",
                lease.heartbeat(),
                this::lookForPauses);
        this.retention = settings.retain() == null ? null : retention(settings.retain());
        this.gate = SchemaGate.of(name, settings.schemas(), meters).orElse(null);
        this.probes = gate == null
                ? null
                : new PeriodicTask(
                        name + "-schemas",
                        "Source " + name + ": looking whether schemas can be looked up",
                        "events of known schemas go on, those of others wait",
                        BETWEEN_PROBES_OF_SCHEMAS,
                        () -> probe(gate));
        this.gauges = new PeriodicTask(
                name + "-backlog",
                "Source " + name + ": counting the backlog",
                "its gauges show nothing",
                BETWEEN_GAUGES,
                this::countBacklog);
        this.floors = new PeriodicTask(
                name + "-floors",
                "Source " + name + ": looking for events below the floors of its lanes",
                "what was restored or inserted there is found later",
                BETWEEN_LOOKS_BELOW_FLOORS,
                this::lookBelowFloors);
        register(meters);
    }

    /** Returns the source's name. */
    public String name() {
        return settings.name();
    }

    /**
     * Looks at the tables, and starts. A database that does not answer yet is tried again in the background.
     *
     * @throws UnavailableException when the tables are missing or too old
     */
    public void start() {
        try {
            checkSchema();
        } catch (DataAccessException e) {
            LOG.warn(
                    "Source {}: the database {} does not answer yet; trying again: {}",
                    name(),
                    settings.address(),
                    DatabaseMessage.of(e));
        }
        broker.start();
        lookout.start();
        beats.start();
        writers.start();
        pauses.start();
        gauges.start();
        floors.start();
        if (retention != null) {
            retention.start();
        }
        if (probes != null) {
            probes.start();
        }
    }

    /** Returns why the source is not served; empty when it is. */
    public Optional<String> trouble() {
        String failed = beats.trouble();
        String database = failed != null ? failed : unusable != null ? unusable : notLookedForPauses();
        return database != null
                ? Optional.of("the database " + settings.address() + ": " + database)
                : broker.trouble().or(() -> leases.trouble()).or(this::withoutSchemas);
    }

    private Optional<String> withoutSchemas() {
        return gate == null ? Optional.empty() : gate.trouble();
    }

    private @Nullable String notLookedForPauses() {
        return paused.get() == null ? pauses.trouble() : null;
    }

    /** Returns the lanes that this relay owns now. */
    public int ownedLanes() {
        return leases.owned().size();
    }

    /** Returns the routes that do not move while the others do, for a person; empty when all do, as far as was counted. */
    public Optional<String> stuck() {
        List<String> all = Stream.concat(
                        silence().stream(), stuck.get().stream().map(Stuck::toString))
                .toList();
        return all.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", all));
    }

    /** Returns what the broker has not answered in time, with the route that waits for longest; empty when it answers. */
    private Optional<String> silence() {
        return silences()
                .min(comparingLong(Silence::since))
                .map(longest -> "%s without an answer from the broker for up to %d s: exchange '%s', routing key '%s'"
                        .formatted(
                                unanswered() == 1 ? "1 event" : unanswered() + " events",
                                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - longest.since()),
                                longest.exchange(),
                                longest.routingKey()));
    }

    private int unanswered() {
        return silences().mapToInt(Silence::events).sum();
    }

    private Stream<Silence> silences() {
        return leases.owned().values().stream().map(LaneRunner::silence).filter(Objects::nonNull);
    }

    /** Returns how many events of these lanes are parked, as far as was counted. */
    public long parkedEvents() {
        Map<String, Long> counts = failures.get();
        return counts == null ? 0 : counts.getOrDefault("parked", 0L);
    }

    /**
     * Stops: what is confirmed is settled, nothing more is published, the leases are given back.
     *
     * @param deadline {@link System#nanoTime()} after which nothing is waited for
     */
    public void drain(long deadline) {
        try {
            leases.drain();
            goodbye(); // from now on the others share all lanes
            for (LaneRunner lane : List.copyOf(leases.owned().values())) {
                lane.join(until(deadline));
            }
            if (!leases.owned().isEmpty()) {
                LOG.warn(
                        "Source {}: the grace period is over and {} lanes still wait for the broker's answer; their"
                                + " events are published again by the next owner",
                        name(),
                        leases.owned().size());
            }
            lookout.stop();
            writers.stop(Duration.ZERO);
            pauses.stop(Duration.ZERO);
            if (retention != null) {
                retention.stop(Duration.ZERO);
            }
            gauges.stop(Duration.ZERO);
            floors.stop(Duration.ZERO);
            if (probes != null) {
                probes.stop(Duration.ZERO);
            }
            interruptLanes();
            if (beats.stop(LAST_WORDS)) {
                goodbye(); // again: a heartbeat was perhaps under way
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (gate != null) {
                gate.close();
            }
            broker.close();
            connections.close();
        }
    }

    /** Ends cycles that wait for an answer in vain, and gives their lanes back. */
    private void interruptLanes() throws InterruptedException {
        List<LaneRunner> late = List.copyOf(leases.owned().values());
        late.forEach(LaneRunner::interrupt);
        long deadline = System.nanoTime() + LAST_WORDS.toNanos();
        for (LaneRunner lane : late) {
            lane.join(until(deadline));
        }
    }

    private void goodbye() {
        if (beats.trouble() != null) {
            return; // the database is away, and would only be waited for
        }
        try {
            outbox.goodbye(owner);
        } catch (DataAccessException e) {
            LOG.debug("Source {}: could not say goodbye", name(), e);
        }
    }

    private void beat() {
        if (unusable != null) {
            checkSchema();
        }
        if (settings.retain() != null && !retaining) {
            // Before the first lane settles: today must have its place. Another relay may be at it, or a reader in the
            // way.
            retaining = !retain(settings.retain()).busy() || ++retentionsInVain == MOST_IN_VAIN;
            if (!retaining) {
                return;
            }
        }
        leases.beat();
    }

    private void checkSchema() {
        OptionalInt version = outbox.schemaVersion();
        String migrate = "java -jar outbox-relay.jar migrate --url " + settings.address() + " --schema "
                + settings.schema() + " --user OWNER --password-file FILE"
                + (settings.url().contains("?") ? " (and the options of your url)" : "");
        if (version.isEmpty()) {
            throw new UnavailableException(
                    "Source " + name() + ": there is no outbox in the schema '"
                            + settings.schema() + "' of " + settings.address() + " (version "
                            + OutboxSchema.REQUIRED_VERSION
                            + " is needed); install it by: " + migrate,
                    null);
        }
        if (version.getAsInt() < OutboxSchema.REQUIRED_VERSION) {
            throw new UnavailableException(
                    "Source " + name() + ": the outbox in the schema '" + settings.schema()
                            + "' of " + settings.address() + " has version " + version.getAsInt()
                            + ", this relay needs "
                            + OutboxSchema.REQUIRED_VERSION + "; bring it up to date by: " + migrate,
                    null);
        }
        unusable = null;
    }

    private void watchWriters() {
        Look look = outbox.lookAtWriters(System.nanoTime());
        if (look.another()) {
            LOG.warn(
                    "Source {}: the database was started again or is another one, or the positions of its outbox begin"
                            + " anew: its lanes are read from the beginning",
                    name());
            connections.leave("the database was started again, restored or emptied, or its address leads to another");
            leases.beginAnew();
        }
        if (look.unreliable() != null && !look.unreliable().equals(unreliable)) {
            LOG.warn(
                    "Source {}: the sequence {}.outbox_position_seq {}: lanes are read from the beginning each time, which"
                            + " gets slower. Alter it back, reconnect every service that writes, then restart the relay.",
                    name(),
                    settings.schema(),
                    look.unreliable());
        }
        unreliable = look.unreliable();
        longestWriter = look.longest().map(Writer::seenFor).orElse(Duration.ZERO);
        Optional<Writer> longest =
                look.longest().filter(writer -> writer.seenFor().compareTo(WRITER_IS_NAMED_AFTER) > 0);
        if (longest.isPresent() && !longest.get().transaction().equals(namedWriter)) {
            LOG.warn(
                    "Source {}: a transaction that wrote to the outbox is open for more than {} s and makes reading"
                            + " slower until it ends: {}",
                    name(),
                    longest.get().seenFor().toSeconds(),
                    longest.get().session());
        }
        namedWriter = longest.map(Writer::transaction).orElse(null);
    }

    /** The floor of each owned lane after its last cycle. */
    Map<Integer, Long> floors() {
        return leases.owned().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, lane -> lane.getValue().floor()));
    }

    /** Nothing is taken for absent because it once was not seen: it may have been hidden, or restored since. */
    void lookBelowFloors() {
        Map<Integer, Long> below = outbox.belowFloors(floors());
        if (!below.isEmpty()) {
            LOG.warn(
                    "Source {}: events have appeared where all were published already, as after a restore or an insert by"
                            + " hand: {} (events by lane); these lanes are read from the beginning",
                    name(),
                    below);
            leases.beginAnew(below.keySet());
        }
    }

    private void countBacklog() {
        Map<Integer, Long> known = floors();
        try {
            backlog.set(outbox.backlog(known));
            failures.set(outbox.failures(known.keySet()));
            stuck.set(outbox.stuck(known.keySet(), MOST_STUCK_NAMED));
        } catch (DataAccessException e) {
            backlog.set(Backlog.UNKNOWN);
            failures.set(null);
            stuck.set(List.of());
            throw e;
        }
    }

    private PeriodicTask retention(Duration keep) {
        return new PeriodicTask(
                name() + "-retention",
                "Source " + name() + ": deleting expired published events",
                "it is kept for longer",
                BETWEEN_RETENTIONS,
                () -> busyRetention
                        .after(retain(keep))
                        .ifPresent(warning -> LOG.warn("Source {}: {}", name(), warning)));
    }

    private Retention retain(Duration keep) {
        Retention done;
        do {
            done = outbox.retain(keep);
            if (done.days() > 0 || done.rows() > 0) {
                LOG.info(
                        "Source {}: {} days and {} single events that were published more than {} h ago are dropped",
                        name(),
                        done.days(),
                        done.rows(),
                        keep.toHours());
            }
        } while (done.isPart());
        return done;
    }

    private void lookForPauses() {
        ByRoute<Boolean> now = outbox.pauses();
        ByRoute<Boolean> before = paused.getAndSet(now);
        if (!now.equals(before) && !(before == null && now.rules().isEmpty())) {
            LOG.info(
                    "Source {}: paused by people: {}",
                    name(),
                    now.rules().isEmpty()
                            ? "nothing any more"
                            : now.otherwise()
                                    ? "everything"
                                    : now.rules().stream()
                                            .map(rule -> rule.aggregateType() + "/" + rule.eventType())
                                            .toList());
        }
    }

    private void probe(SchemaGate probed) {
        probed.probe();
        if (!subjectsReported) {
            probed.missing(List.of(failurePolicy.onPark(), failurePolicy.unroutable()))
                    .forEach(LOG::warn);
            subjectsReported = true;
        }
    }

    /** Returns whether people have paused the whole source. */
    public boolean isPaused() {
        ByRoute<Boolean> now = paused.get();
        return now != null && now.otherwise();
    }

    private LaneRunner runner(Lease lease) {
        RabbitPublisher publisher = new RabbitPublisher(name(), broker, brokerSettings, metrics);
        Publisher gated = gate == null ? publisher : gate.before(publisher);
        Lane lane = new Lane(
                lease,
                outbox,
                gated,
                System::nanoTime,
                laneSettings,
                failurePolicy,
                drops,
                paused::get,
                RandomGenerator.getDefault());
        return new LaneRunner(name(), lease, lane, publisher, lookout, leases::ended);
    }

    private void register(MeterRegistry meters) {
        Gauge.builder("outbox_relay_backlog_events", backlog, b -> b.get().events())
                .description("Events of this relay's lanes that are not confirmed")
                .tag("source", name())
                .register(meters);
        Gauge.builder("outbox_relay_lag_seconds", backlog, b -> b.get().lagSeconds())
                .description("Age of the oldest of them")
                .tag("source", name())
                .register(meters);
        Gauge.builder(
                        "outbox_relay_source_ready",
                        this,
                        source -> source.trouble().isEmpty() ? 1 : 0)
                .description("1 while the source's database and its broker answer and take events, else 0")
                .tag("source", name())
                .register(meters);
        for (String state : FAILURE_STATES) {
            Gauge.builder("outbox_relay_failures", failures, f -> count(f.get(), state))
                    .description("Events of this relay's lanes that failed, or wait behind one that did")
                    .tag("source", name())
                    .tag("state", state)
                    .register(meters);
        }
        register(meters, true, Drops::ofRoutesThatWorked);
        register(meters, false, Drops::ofOthers);
        Gauge.builder("outbox_relay_paused_routes", paused, now -> pausedRoutes(now.get()))
                .description("Routes that people have paused; a whole source is one")
                .tag("source", name())
                .register(meters);
        Gauge.builder("outbox_relay_writer_seconds", this, source -> source.longestWriter.toMillis() / 1e3)
                .description("How long the transaction has been seen that holds back the floor for longest")
                .tag("source", name())
                .register(meters);
        Gauge.builder("outbox_relay_unanswered_events", this, Source::unanswered)
                .description("Events that the broker has been sent and has not answered in time")
                .tag("source", name())
                .register(meters);
        Gauge.builder("outbox_relay_lanes", this, Source::ownedLanes)
                .description("Lanes that this relay owns")
                .tag("source", name())
                .register(meters);
    }

    private void register(MeterRegistry meters, boolean worked, ToDoubleFunction<Drops> count) {
        FunctionCounter.builder("outbox_relay_dropped", drops, count)
                .description("Events that were dropped because no queue was bound for them")
                .tag("source", name())
                .tag("worked_before", String.valueOf(worked))
                .register(meters);
    }

    private static double pausedRoutes(@Nullable ByRoute<Boolean> now) {
        return now == null ? Double.NaN : now.rules().size();
    }

    private static double count(@Nullable Map<String, Long> counts, String state) {
        return counts == null ? Double.NaN : counts.getOrDefault(state, 0L);
    }

    private static Duration until(long deadline) {
        return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }
}
