package io.outboxrelay.relay.source;

import static java.util.Comparator.comparingLong;

import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.OutboxStore.FailureCounts;
import io.outboxrelay.relay.database.OutboxStore.Stuck;
import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.rabbitmq.Broker;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.PublishMetrics;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher.Silence;
import io.outboxrelay.relay.rabbitmq.TracedPublisher;
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

    /** How long the release of the leases may take once the lanes have ended or the grace period is over. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private static final int HOUSEKEEPING_CONNECTIONS = 7;

    private final SourceSettings settings;

    /** Identifies this process among all that ever own a lane; two processes may have the same instance name. */
    private final String owner;

    private final LaneSettings laneSettings;
    private final FailurePolicy failurePolicy;
    private final BrokerSettings brokerSettings;

    private final Connections connections;
    private final OutboxStore outbox;
    private final Broker broker;
    private final PublishMetrics metrics;
    private final Drops drops = new Drops(System::nanoTime);
    private final @Nullable SchemaGate gate;
    private final @Nullable Purge purge;
    private final Lookout lookout;
    private final Leases leases;
    private final PeriodicTask heartbeat;
    private final Housekeeping housekeeping;
    private volatile @Nullable String unusable = "the database was not reached yet";

    /**
     * How lanes are held.
     *
     * @param duration how long a lease lasts after its last renewal; then another relay takes the lane
     * @param heartbeat how often leases are renewed and the lanes are shared anew
     */
    public record LeaseSettings(Duration duration, Duration heartbeat) {}

    /**
     * How often idle lanes are polled.
     *
     * @param shortest wait between two polls while events are coming
     * @param longest wait between two polls after a while without events
     */
    public record PollSettings(Duration shortest, Duration longest) {}

    /**
     * @param settings the database
     * @param instance name of this relay among those that share the database
     * @param broker where its events go
     * @param lane bounds of a lane's cycle
     * @param failures what follows when an event fails
     * @param lease how lanes are held
     * @param poll how often idle lanes are polled
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
        this.gate = SchemaGate.of(name, settings.schemas(), meters).orElse(null);
        this.purge = settings.retain() == null ? null : new Purge(name, settings.retain(), outbox::retain);
        this.lookout = new Lookout(
                name,
                outbox,
                poll,
                settings.wakeup() == Wakeup.NOTIFY ? dialect.wakeup(settings.schema(), housekeeping) : null,
                RandomGenerator.getDefault());
        connections.whenLeaving(lookout::renew);
        this.leases = new Leases(name, owner, outbox, lease.duration(), this::runner);
        this.heartbeat = new PeriodicTask(
                name,
                "leases",
                Help.DATABASE,
                "the heartbeat in the database",
                "its lanes stop when their leases expire",
                lease.heartbeat(),
                this::beat);
        this.housekeeping =
                new Housekeeping(settings, lease.heartbeat(), outbox, connections, leases, failures, purge, gate);
        new SourceMeters(meters, this).register(this.housekeeping, drops);
    }

    private LaneRunner runner(Lease lease) {
        RabbitPublisher publisher = new RabbitPublisher(name(), broker, brokerSettings, metrics);
        Publisher traced = TracedPublisher.over(publisher, brokerSettings);
        Lane lane = new Lane(
                lease,
                outbox,
                gate == null ? traced : gate.before(traced),
                System::nanoTime,
                laneSettings,
                failurePolicy,
                drops,
                housekeeping::pauses,
                RandomGenerator.getDefault());
        return new LaneRunner(name(), lease, lane, publisher, lookout, leases::ended);
    }

    /** Returns the source's name. */
    public String name() {
        return settings.name();
    }

    /**
     * Checks the tables, and starts. A database that does not answer yet is tried again in the background.
     *
     * @throws UnavailableException when the tables are missing or too old
     */
    public void start() {
        try {
            checkSchema();
        } catch (DataAccessException e) {
            LOG.atWarn()
                    .addMarker(Help.DATABASE)
                    .addKeyValue(LogKeys.SOURCE, name())
                    .log(
                            "Source {}: the database {} does not answer yet; trying again: {}",
                            name(),
                            settings.address(),
                            DatabaseMessage.of(e));
        }
        broker.start();
        lookout.start();
        heartbeat.start();
        housekeeping.start();
    }

    private void beat() {
        if (unusable != null) {
            checkSchema();
        }
        if (purge == null || purge.prepare()) {
            leases.beat();
        }
    }

    private void checkSchema() {
        OptionalInt version = outbox.schemaVersion();
        int required = OutboxSchema.REQUIRED_VERSION;
        if (version.isEmpty() || version.getAsInt() < required) {
            String outbox = "the schema '" + settings.schema() + "' of " + settings.address();
            String migrate = "java -jar outbox-relay.jar migrate --url " + settings.address() + " --schema "
                    + settings.schema() + " --user OWNER --password-file FILE"
                    + (settings.url().contains("?") ? " (and the options of your url)" : "");
            throw new UnavailableException(
                    "Source " + name() + ": "
                            + (version.isEmpty()
                                    ? "there is no outbox in " + outbox + " (version " + required
                                            + " is needed); install it with: "
                                    : "the outbox in " + outbox + " has version " + version.getAsInt()
                                            + ", this relay needs " + required + "; upgrade it with: ")
                            + migrate,
                    null);
        }
        unusable = null;
    }

    /** Returns why the source is not served; empty when it is. */
    public Optional<String> trouble() {
        return Stream.of(heartbeat.trouble(), unusable, housekeeping.pausesUnknown())
                .filter(Objects::nonNull)
                .findFirst()
                .map(database -> "the database " + settings.address() + ": " + database)
                .or(broker::trouble)
                .or(leases::trouble)
                .or(() -> gate == null ? Optional.empty() : gate.trouble());
    }

    /** Returns whether people have paused the whole source. */
    public boolean isPaused() {
        ByRoute<Boolean> pauses = housekeeping.pauses();
        return pauses != null && pauses.otherwise();
    }

    /** Returns how many lanes this relay owns now. */
    public int ownedLanes() {
        return leases.owned().size();
    }

    /** Returns how many events of these lanes are parked, by the last count. */
    public long parkedEvents() {
        FailureCounts counts = housekeeping.failures();
        return counts == null ? 0 : counts.events().getOrDefault("parked", 0L);
    }

    /** Describes the events that are stuck while others move, by the last count; empty when none is. */
    public Optional<String> stuck() {
        String all = Stream.concat(
                        silence().stream(), housekeeping.stuck().stream().map(Stuck::toString))
                .collect(Collectors.joining(", "));
        return all.isEmpty() ? Optional.empty() : Optional.of(all);
    }

    private Optional<String> silence() {
        return silences()
                .min(comparingLong(Silence::since))
                .map(longest -> "%s without an answer from the broker for up to %d s: exchange '%s', routing key '%s'"
                        .formatted(
                                Count.of(unanswered(), "event"),
                                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - longest.since()),
                                longest.exchange(),
                                longest.routingKey()));
    }

    /** Returns the number of events that the broker has not answered in time. */
    int unanswered() {
        return silences().mapToInt(Silence::events).sum();
    }

    private Stream<Silence> silences() {
        return leases.owned().values().stream().map(LaneRunner::silence).filter(Objects::nonNull);
    }

    /** Returns the floor of each owned lane after its last cycle. */
    Map<Integer, Long> floors() {
        return leases.floors();
    }

    /** Reads lanes from the beginning in which events have appeared below the floor. */
    void checkBelowFloors() {
        housekeeping.checkBelowFloors();
    }

    /**
     * Stops: what is confirmed is settled, nothing more is published, the leases are released.
     *
     * @param deadline {@link System#nanoTime()} after which nothing is waited for
     */
    public void drain(long deadline) {
        LogKeys.thisThreadServes(name());
        try {
            leases.drain();
            goodbye(); // from now on the others share all lanes
            for (LaneRunner lane : List.copyOf(leases.owned().values())) {
                lane.join(until(deadline));
            }
            if (!leases.owned().isEmpty()) {
                LOG.warn(
                        Help.NOT_DRAINED,
                        "Source {}: the grace period is over, with {} still waiting for the broker's answer; the next"
                                + " owner publishes the events again",
                        name(),
                        Count.of(leases.owned().size(), "lane"));
            }
            lookout.stop();
            housekeeping.stop();
            interruptLanes();
            if (heartbeat.stop(LAST_WORDS)) {
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

    /** Ends cycles that still wait for an answer, and releases their lanes. */
    private void interruptLanes() throws InterruptedException {
        List<LaneRunner> late = List.copyOf(leases.owned().values());
        late.forEach(LaneRunner::interrupt);
        long deadline = System.nanoTime() + LAST_WORDS.toNanos();
        for (LaneRunner lane : late) {
            lane.join(until(deadline));
        }
    }

    private void goodbye() {
        if (heartbeat.trouble() != null) {
            return; // the database does not answer, and would only delay the end
        }
        try {
            outbox.goodbye(owner);
        } catch (DataAccessException e) {
            LOG.debug("Source {}: could not say goodbye", name(), e);
        }
    }

    private static Duration until(long deadline) {
        return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }
}
