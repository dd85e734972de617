package io.outboxrelay.relay.command;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.database.Published.Extent;
import io.outboxrelay.relay.database.Published.Limits;
import io.outboxrelay.relay.database.Published.Selection;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Replay;
import io.outboxrelay.relay.lane.Replay.ReplaySettings;
import io.outboxrelay.relay.rabbitmq.Broker;
import io.outboxrelay.relay.rabbitmq.PublishMetrics;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Replays retained events over its own connection. Relays that are running are not affected. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = "Publishes retained events again (see the key sources[].retain), in order per aggregate, with"
                + " their original ids and the header outbox_replay. New events are published meanwhile.",
        footer = {
            "",
            "Exit status: 0 all events were sent, 1 some were not, 2 wrong use or configuration.",
            "Consumers with an inbox skip events that they have already processed. To apply the effects again, use"
                    + " another inbox name or an emptied inbox, and a separate queue (--queue)."
        })
final class ReplayCommand implements Callable<Integer> {

    private static final long MILLIS_BETWEEN_LOOKS = 20;
    private static final int MOST_LOOKS = 500;

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final ReplayOptions options = new ReplayOptions();

    @Mixin
    private final PaceOptions pace = new PaceOptions(1_000);

    @Mixin
    private final AuditOptions audit = new AuditOptions();

    @Option(
            names = "--queue",
            paramLabel = "QUEUE",
            description = "Send to this queue only. Default: the usual exchanges and routing keys, to all consumers.")
    private @Nullable String queue;

    @Option(
            names = "--after",
            paramLabel = "POSITION",
            defaultValue = "0",
            description = "Continue after this position (printed when a replay stops).")
    private long after;

    @Option(names = "--dry-run", description = "Only report how many events would be sent.")
    private boolean dryRun;

    ReplayCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        Selection selection = options.selection();
        pace.check();
        if (queue != null && queue.isBlank()) {
            throw console.wrongUse("--queue must not be empty.");
        }
        Note note = dryRun ? audit.note() : audit.noteWithReason();
        Configuration configuration = databases.configuration();
        return databases.only(database -> replay(configuration, database, selection, note));
    }

    private boolean replay(Configuration configuration, Database database, Selection wanted, Note note) {
        Published published = database.published();
        Selection selection = wanted.before(published.now());
        if (!dryRun) {
            refuseWhilePaused(database);
            awaitSettling(published, "replay");
        }
        Extent extent = published.extent(selection, after);
        String source = database.label() + ": ";
        if (extent.events() == 0) {
            console.println(source + nothing(extent));
            return true;
        }
        if (dryRun) {
            console.println(source + Words.count(extent.events(), "event") + " would be sent");
            return true;
        }
        String what = selection + (queue == null ? "" : ", to the queue " + queue);
        long number = published.note("replay", what, extent.events(), note);
        console.note(source + "replay %d: sending %s".formatted(number, Words.count(extent.events(), "event")));
        Replay.Result result = send(configuration, database, selection, number, extent.events());
        console.println(source + sentence(result, number)); // first: noting it may fail for the same reason
        if (result.stopped() != null) {
            published.note("replay stopped", "replay " + number + ", position " + result.last(), result.sent(), note);
        }
        return result.stopped() == null && result.skipped() == 0;
    }

    /** A pause protects all consumers of a source; a single queue is not affected. */
    private void refuseWhilePaused(Database database) {
        List<Pause> pauses = database.failures().pauses();
        if (queue == null && !pauses.isEmpty()) {
            throw new UnavailableException(
                    "%s is paused by %s. Resume it first, or send the events to one queue with --queue."
                            .formatted(
                                    PauseCommand.name(pauses.get(0).route()),
                                    Words.plain(pauses.get(0).pausedBy())),
                    null);
        }
    }

    /** Waits for settling transactions that began before now: consumers may have seen their events already. */
    static void awaitSettling(Published published, String command) {
        try {
            Set<String> open = published.settling();
            for (int looks = 0; !open.isEmpty(); looks++) {
                if (looks == MOST_LOOKS) {
                    throw new UnavailableException(
                            "Open transactions on outbox_published may hide published events: "
                                    + String.join(", ", open)
                                    + ". End them, then run " + command + " again.",
                            null);
                }
                TimeUnit.MILLISECONDS.sleep(MILLIS_BETWEEN_LOOKS);
                open.retainAll(published.settling());
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("Interrupted before the first event was sent", e);
        }
    }

    private static String nothing(Extent extent) {
        return "no retained event matches. "
                + (extent.oldest() == null
                        ? "Nothing is retained: set retain of the source to keep events from now on."
                        : "The oldest retained event was published at " + Words.time(extent.oldest()) + ".");
    }

    private Replay.Result send(
            Configuration configuration, Database database, Selection selection, long number, long events) {
        LaneSettings lane = configuration.lane();
        Limits limits = new Limits(lane.batchEvents(), lane.batchBytes(), lane.maxEventBytes());
        try (Broker broker = new Broker(database.name(), "replay " + number, configuration.broker());
                RabbitPublisher publisher = RabbitPublisher.replaying(
                        database.name(),
                        broker,
                        configuration.broker(),
                        new PublishMetrics(database.name(), new SimpleMeterRegistry()),
                        number,
                        queue)) {
            broker.start();
            return new Replay(
                            place -> database.published().next(selection, place, limits),
                            publisher,
                            System::nanoTime,
                            pace.settings(
                                    lane, queue == null ? configuration.failures()::drops : (event, failure) -> false),
                            new Report(console, console.new Progress(database.label(), events)))
                    .run(after);
        } catch (InterruptedException e) {
            throw new IllegalStateException("Replay " + number + " was interrupted", e);
        }
    }

    private record Report(Console console, Console.Progress progress) implements Replay.Listener {

        @Override
        public void reached(long events, long last) {
            progress.accept(events, ", position " + last);
        }

        @Override
        public void skipped(Event event, String why) {
            console.note("skipped: " + Words.plain(event + ": " + why));
        }
    }

    private static String sentence(Replay.Result result, long number) {
        String sent = "replay %d: sent %s".formatted(number, Words.count(result.sent(), "event"));
        if (result.stopped() != null) {
            return sent + ", then stopped: " + Words.plain(result.stopped())
                    + ". Fix the cause, then continue with --after " + result.last()
                    + ", or skip the event with --skip-failed.";
        }
        return sent
                + (result.dropped() == 0
                        ? ""
                        : ", dropped " + Words.number(result.dropped()) + " (no queue bound, retry.unroutable: drop)")
                + (result.skipped() == 0
                        ? ""
                        : ", skipped " + Words.number(result.skipped()) + " that could not be sent");
    }

    /** How fast retained events are sent, and whether one that cannot be sent ends it. */
    static final class PaceOptions {

        private static final Duration AGAIN = Duration.ofSeconds(1);

        @Mixin
        private final Console console = new Console();

        @Option(
                names = "--rate",
                paramLabel = "N",
                description = "Maximum events per second. Default: ${DEFAULT-VALUE}.")
        private int rate;

        @Option(
                names = "--skip-failed",
                description = "Skip events that cannot be sent. Without it the command stops at the first one.")
        private boolean skipFailed;

        PaceOptions(int defaultRate) {
            this.rate = defaultRate;
        }

        void check() {
            if (rate < 1 || rate > 1_000_000) {
                throw console.wrongUse("--rate must be from 1 to 1000000 events per second.");
            }
        }

        ReplaySettings settings(LaneSettings lane, BiPredicate<Event, Outcome.NotPublished> drops) {
            return new ReplaySettings(
                    rate, lane.windowEvents(), lane.windowBytes(), lane.confirmDeadline(), AGAIN, drops, skipFailed);
        }
    }

    /** Selects retained events: never all of them unless that was said. */
    static final class ReplayOptions {

        @Mixin
        private final Console console = new Console();

        /** Texts, as {@code EventIdConverter.all} wants them. */
        @Parameters(arity = "0..*", paramLabel = "EVENT_ID", description = "Ids of events.")
        private final List<String> events = new ArrayList<>();

        @Option(
                names = "--from",
                paramLabel = "TIME",
                converter = Words.TimeConverter.class,
                description =
                        "Only events published at or after this time (database clock), for example 2026-01-31 (UTC) or "
                                + "2026-01-31T12:00:00Z.")
        private @Nullable Instant from;

        @Option(
                names = "--to",
                paramLabel = "TIME",
                converter = Words.TimeConverter.class,
                description = "Only events published before this time. Default: now.")
        private @Nullable Instant to;

        @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
        private @Nullable String eventType;

        @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of this aggregate type.")
        private @Nullable String aggregateType;

        @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only events of aggregates with this id.")
        private @Nullable String aggregateId;

        @Option(names = "--all", description = "All retained events, or all that match the filters. Not with ids.")
        private boolean all;

        Selection selection() {
            Selection selection = new Selection(
                    Words.EventIdConverter.all(events, console), from, to, eventType, aggregateType, aggregateId);
            if (!selection.isNarrowed() && !all) {
                throw console.wrongUse("Say which events: EVENT_ID..., filters, or --all.");
            }
            if (!events.isEmpty() && all) {
                throw console.wrongUse("--all cannot be combined with event ids.");
            }
            if (from != null && to != null && !from.isBefore(to)) {
                throw console.wrongUse("--from %s is not before --to %s.".formatted(from, to));
            }
            return selection;
        }
    }
}
