package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.OutboxStore.Backlog;
import io.outboxrelay.relay.database.OutboxStore.FailureCounts;
import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.database.OutboxStore.Stuck;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LaneStore.Closed;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.WriterWatch.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.springframework.dao.DataAccessException;

/** The periodic tasks of a source besides its heartbeat, each on a thread of its own, and what they have found. */
final class Housekeeping {

    private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
    private static final Duration BETWEEN_COUNTS = Duration.ofSeconds(5);
    private static final Duration BETWEEN_CHECKS_OF_FLOORS = Duration.ofMinutes(1);
    private static final Duration BETWEEN_PURGES = Duration.ofMinutes(5);
    private static final Duration BETWEEN_PROBES_OF_SCHEMAS = Duration.ofSeconds(5);
    private static final Duration WRITER_IS_NAMED_AFTER = Duration.ofMinutes(1);
    private static final int MOST_STUCK_NAMED = 3;

    private final SourceSettings settings;
    private final OutboxStore outbox;
    private final Connections connections;
    private final Leases leases;
    private final FailurePolicy policy;
    private final List<PeriodicTask> tasks = new ArrayList<>();
    private final PeriodicTask pauseTask;

    private volatile @Nullable ByRoute<Boolean> pauses;
    private volatile Backlog backlog = Backlog.UNKNOWN;
    private volatile @Nullable FailureCounts failures;
    private volatile List<Stuck> stuck = List.of();
    private volatile Duration longestWriter = Duration.ZERO;

    // Of the thread that checks open transactions.
    private @Nullable String namedWriter;
    private @Nullable String unreliable;

    // Of the thread that probes the registry.
    private boolean subjectsReported;

    Housekeeping(
            SourceSettings settings,
            Duration heartbeat,
            OutboxStore outbox,
            Connections connections,
            Leases leases,
            FailurePolicy policy,
            @Nullable Purge purge,
            @Nullable SchemaGate gate) {
        this.settings = settings;
        this.outbox = outbox;
        this.connections = connections;
        this.leases = leases;
        this.policy = policy;
        this.pauseTask = task(
                "pauses",
                "reading the pauses",
                "the pauses read last remain in force; nothing is published before the first successful read",
                heartbeat,
                this::readPauses);
        task(
                "writers",
                "checking open transactions",
                "reading gets slower until it works again",
                heartbeat,
                this::checkWriters);
        task("backlog", "counting the backlog", "its gauges show no value", BETWEEN_COUNTS, this::count);
        task(
                "floors",
                "checking for events below the floors",
                "restored or inserted events are found later",
                BETWEEN_CHECKS_OF_FLOORS,
                this::checkBelowFloors);
        if (purge != null) {
            task("retention", "deleting expired published events", "it is tried again", BETWEEN_PURGES, purge::run);
        }
        if (gate != null) {
            task(
                    "schemas",
                    Help.about(Reason.SCHEMA_UNCHECKED),
                    "checking whether schemas can be looked up",
                    "events with verified schemas continue, all others wait",
                    BETWEEN_PROBES_OF_SCHEMAS,
                    () -> probe(gate));
        }
    }

    private PeriodicTask task(String thread, String what, String consequence, Duration interval, Runnable run) {
        return task(thread, Help.DATABASE, what, consequence, interval, run);
    }

    private PeriodicTask task(
            String thread, Marker help, String what, String consequence, Duration interval, Runnable run) {
        PeriodicTask task = new PeriodicTask(settings.name(), thread, help, what, consequence, interval, run);
        tasks.add(task);
        return task;
    }

    void start() {
        tasks.forEach(PeriodicTask::start);
    }

    /** Lets no further run begin. */
    void stop() throws InterruptedException {
        for (PeriodicTask task : tasks) {
            task.stop(Duration.ZERO);
        }
    }

    /** Returns what people have paused; null as long as it is not known. */
    @Nullable
    ByRoute<Boolean> pauses() {
        return pauses;
    }

    /** Returns why it is not known what people have paused; null when it is, or when nothing has failed. */
    @Nullable
    String pausesUnknown() {
        return pauses == null ? pauseTask.trouble() : null;
    }

    Backlog backlog() {
        return backlog;
    }

    /** Returns the failures; null when they could not be counted. */
    @Nullable
    FailureCounts failures() {
        return failures;
    }

    List<Stuck> stuck() {
        return stuck;
    }

    /** Returns the age of the oldest open transaction that has written to the outbox. */
    Duration longestWriter() {
        return longestWriter;
    }

    /** An event that was not seen may have been hidden, or restored since. */
    void checkBelowFloors() {
        Map<Integer, Long> below = outbox.belowFloors(leases.floors());
        if (!below.isEmpty()) {
            LOG.warn(
                    Help.EVENTS_BELOW_FLOOR,
                    "Source {}: events have appeared below the floor, for example after a restore or a manual insert:"
                            + " {} (events by lane); reading these lanes from the beginning",
                    settings.name(),
                    below);
            leases.beginAnew(below.keySet());
        }
    }

    private void count() {
        Map<Integer, Long> floors = leases.floors();
        try {
            backlog = outbox.backlog(floors);
            failures = outbox.failures(floors.keySet());
            stuck = outbox.stuck(floors.keySet(), MOST_STUCK_NAMED);
        } catch (DataAccessException e) {
            backlog = Backlog.UNKNOWN;
            failures = null;
            stuck = List.of();
            throw e;
        }
    }

    private void readPauses() {
        ByRoute<Boolean> before = pauses;
        ByRoute<Boolean> now = outbox.pauses();
        pauses = now;
        if (!now.equals(before) && !(before == null && now.rules().isEmpty())) {
            LOG.info("Source {}: now paused: {}", settings.name(), inWords(now));
        }
        if (!now.equals(before)) {
            leases.callLanes();
        }
    }

    private static String inWords(ByRoute<Boolean> pauses) {
        if (pauses.rules().isEmpty()) {
            return "nothing";
        }
        return pauses.otherwise()
                ? "everything"
                : pauses.rules().stream()
                        .map(rule -> rule.aggregateType() + "/" + rule.eventType())
                        .toList()
                        .toString();
    }

    private void checkWriters() {
        Closed before = outbox.closed();
        Look look = outbox.lookAtWriters(System.nanoTime());
        if (!outbox.closed().equals(before)) {
            leases.callLanes();
        }
        if (look.another()) {
            LOG.warn(
                    Help.DATABASE_REPLACED,
                    "Source {}: the database was restarted or replaced, or the positions of its outbox start again;"
                            + " reading all lanes from the beginning",
                    settings.name());
            connections.leave("the database was restarted, restored or emptied, or its address leads to another one");
            leases.beginAnew();
        }
        if (look.unreliable() != null && !look.unreliable().equals(unreliable)) {
            LOG.warn(
                    Help.POSITION_SEQUENCE,
                    "Source {}: the sequence {}.outbox_position_seq {}. Every read starts at the first row and gets"
                            + " slower. Correct the sequence, reconnect every writing service, then restart the relay.",
                    settings.name(),
                    settings.schema(),
                    look.unreliable());
        }
        unreliable = look.unreliable();
        longestWriter = look.longest().map(Writer::seenFor).orElse(Duration.ZERO);
        name(look.longest().filter(writer -> writer.seenFor().compareTo(WRITER_IS_NAMED_AFTER) > 0));
    }

    private void name(Optional<Writer> longest) {
        if (longest.isPresent() && !longest.get().transaction().equals(namedWriter)) {
            LOG.warn(
                    Help.OPEN_TRANSACTION,
                    "Source {}: a transaction that wrote to the outbox has been open for more than {} s and slows down"
                            + " reading until it ends: {}",
                    settings.name(),
                    longest.get().seenFor().toSeconds(),
                    longest.get().session());
        }
        namedWriter = longest.map(Writer::transaction).orElse(null);
    }

    private void probe(SchemaGate gate) {
        gate.probe();
        if (!subjectsReported) {
            gate.missing(List.of(policy.onPark(), policy.unroutable()))
                    .forEach(subject -> LOG.warn(Help.about(Reason.SCHEMA_UNKNOWN), "{}", subject));
            subjectsReported = true;
        }
    }
}
