package io.outboxrelay.relay.command;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.ReplayCommand.PaceOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.database.Published.Limits;
import io.outboxrelay.relay.database.Published.Selection;
import io.outboxrelay.relay.database.SentHistories;
import io.outboxrelay.relay.database.SentHistories.Reach;
import io.outboxrelay.relay.database.SentHistories.Sent;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Replay;
import io.outboxrelay.relay.rabbitmq.Broker;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.HistoryQueue;
import io.outboxrelay.relay.rabbitmq.HistoryQueue.CannotSubscribeException;
import io.outboxrelay.relay.rabbitmq.PublishMetrics;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Sends the history to a consumer that catches up, over its own connection, while relays publish new events. */
@Command(
        name = "subscribe",
        mixinStandardHelpOptions = true,
        description = "Sends retained events (see the key sources[].retain) to a new consumer, or to one whose effects"
                + " were undone, so that it gets the history first and then continues with new events. Before you run"
                + " it, declare the consumer's queue with catchUp(), and start the consumer: it then waits for the"
                + " history. The broker chooses the events that match the bindings of the queue.",
        footer = {
            "",
            "Exit status: 0 the history was sent, 1 it was not, 2 wrong use or configuration.",
            "Without --source the history of all configured sources is sent. If the command is interrupted, run it"
                    + " again with the same options: it continues. A history that was sent completely is sent once more"
                    + " only with --again, or after it was deleted, as its consumer does to start over."
        })
final class SubscribeCommand implements Callable<Integer> {

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    /** Between two notes of how far it is: so much is sent again after a crash. */
    private static final Duration BETWEEN_NOTES = Duration.ofSeconds(1);

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final PaceOptions pace = new PaceOptions(5_000);

    @Mixin
    private final AuditOptions audit = new AuditOptions();

    @Option(
            names = "--queue",
            paramLabel = "QUEUE",
            required = true,
            description = "The consumer's queue, for example billing.orders. If it is partitioned, the name without"
                    + " numbers.")
    private String queue = "";

    @Option(
            names = "--from",
            paramLabel = "BEGINNING|TIME|POSITION",
            required = true,
            converter = FromConverter.class,
            description = "Where the history begins: with the oldest retained event, with the first one published at or"
                    + " after a time, for example 2026-01-31 (UTC) or 2026-01-31T12:00:00Z, or with a position that"
                    + " replay or subscribe has printed. With the current time, only the end of the history is sent:"
                    + " the consumer begins with new events.")
    private From from = From.BEGINNING;

    @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
    private @Nullable String eventType;

    @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of this aggregate type.")
    private @Nullable String aggregateType;

    @Option(
            names = "--without-end",
            description = "Leave the history open, because sources of another configuration follow. Omit this option in"
                    + " the command for the last of them.")
    private boolean withoutEnd;

    @Option(
            names = "--again",
            description = "Send the history from its start, even if all or part of it was sent before.")
    private boolean again;

    @Option(names = "--dry-run", description = "Only check the queue, and report how many events would be sent.")
    private boolean dryRun;

    /** Sources whose history was sent by this run. */
    private final Set<String> sent = new HashSet<>();

    private @Nullable UUID subscription;
    private boolean stopped;

    SubscribeCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        if (queue.isBlank()) {
            throw console.wrongUse("--queue must not be empty.");
        }
        pace.check();
        Note note = dryRun ? audit.note() : audit.noteWithReason();
        Configuration configuration = databases.configuration();
        if (from.after() > 0 && databases.chosen().size() > 1) {
            throw console.wrongUse(
                    "The position " + (from.after() + 1) + " belongs to one source: choose it with --source NAME.");
        }
        try (HistoryQueue history = new HistoryQueue(configuration.broker(), queue)) {
            int status = databases.each(database -> {
                database.histories().requireVersion();
                if (dryRun) {
                    announce(database, history);
                } else {
                    subscribe(configuration, database, history, note);
                }
            });
            return status != 0 || stopped ? 1 : end(history);
        }
    }

    private void announce(Database database, HistoryQueue history) {
        history.require();
        SentHistories histories = database.histories();
        Sent before = before(database, history);
        long after = before == null ? from.after() : before.upTo();
        Reach reach = histories.reach(selection(), after, histories.highestPublished());
        console.println(label(database)
                + (before != null && before.completedAt() != null
                        ? sentBefore(before)
                        : "up to %s would be sent, those that match the bindings of %s. %s"
                                .formatted(Words.count(reach.events(), "event"), queue(), oldest(reach))));
    }

    private void subscribe(Configuration configuration, Database database, HistoryQueue history, Note note) {
        SentHistories histories = database.histories();
        Sent before = before(database, history);
        if (before != null && before.completedAt() != null) {
            console.println(label(database) + sentBefore(before));
            return;
        }
        history.require();
        if (before != null && !before.what().equals(what())) {
            throw new UnavailableException(
                    ("The history for the queue %s was begun with other options (%s). Use the same ones to continue"
                                            + " it, or")
                                    .formatted(queue(), Words.plain(before.what()))
                            + " --again to send it from its start.",
                    null);
        }
        UUID id = before != null ? before.subscription() : begin(history);
        subscription = id;
        awaitOutbox(database);
        long upTo = histories.highestPublished();
        ReplayCommand.awaitSettling(database.published(), "subscribe");
        Sent begun = before != null ? before : histories.begin(queue, id, what(), from.after());
        send(configuration, database, history, note, begun, upTo);
    }

    /** What was sent of a history that was not deleted since; or null. */
    private @Nullable Sent before(Database database, HistoryQueue history) {
        Sent found = again ? null : database.histories().find(queue).orElse(null);
        if (found == null || !history.isThere() || history.holds(found.subscription())) {
            return found;
        }
        console.note(label(database)
                + "what was sent to %s before (%s, %s) does not count: that history was deleted"
                        .formatted(queue(), Words.count(found.events(), "event"), Words.plain(found.what())));
        return null;
    }

    /** One for all sources that are sent together. Were it begun twice, a deletion in between would not be seen. */
    private UUID begin(HistoryQueue history) {
        if (subscription != null) {
            return subscription;
        }
        UUID id = UUID.randomUUID();
        history.begin(id);
        return id;
    }

    private Selection selection() {
        return new Selection(List.of(), from.time(), null, eventType, aggregateType, null);
    }

    private String what() {
        return from.words()
                + (eventType == null ? "" : ", event type " + eventType)
                + (aggregateType == null ? "" : ", aggregate type " + aggregateType);
    }

    private String queue() {
        return Words.plain(queue);
    }

    private static String label(Database database) {
        return database.label() + ": ";
    }

    private String sentBefore(Sent before) {
        return "the history was sent to %s at %s: %s (%s). To send it once more, use --again."
                .formatted(
                        queue(),
                        before.completedAt() == null ? "" : Words.time(before.completedAt()),
                        Words.count(before.events(), "event"),
                        Words.plain(before.what()));
    }

    /** Says what retention has removed, as far as it belonged to the history. */
    private String oldest(Reach reach) {
        Instant oldest = reach.oldest();
        if (oldest == null) {
            return "Nothing is retained.";
        }
        return from.after() > 0 || from.time() != null && !from.time().isBefore(oldest)
                ? "Everything from then on is retained."
                : "The oldest retained event was published at %s; the history has no earlier ones."
                        .formatted(Words.time(oldest));
    }

    /**
     * What is in the outbox now may have been published before the queue was bound, and not be retained yet; so may
     * what the broker has not answered. What comes later is published to the queue.
     */
    private void awaitOutbox(Database database) {
        SentHistories histories = database.histories();
        long position = histories.highestPosition();
        long until = System.nanoTime() + LONGEST_WAIT.toNanos();
        boolean said = false;
        try {
            for (long left = histories.undecided(position); left > 0; left = histories.undecided(position)) {
                if (!said) {
                    console.note(label(database)
                            + "waiting until %s of the outbox is published or fails"
                                    .formatted(Words.count(left, "event")));
                    said = true;
                }
                if (System.nanoTime() - until >= 0) {
                    throw new UnavailableException(
                            "After %s there are still %s that may have been published before the queue %s"
                                            .formatted(
                                                    Words.duration(LONGEST_WAIT), Words.count(left, "event"), queue())
                                    + " was bound. Nothing was sent. Make sure that a relay publishes them (see status"
                                    + " and pause --list), then run the command again.",
                            null);
                }
                TimeUnit.MILLISECONDS.sleep(BETWEEN_LOOKS.toMillis());
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("Interrupted before the first event was sent", e);
        }
    }

    private void send(
            Configuration configuration, Database database, HistoryQueue history, Note note, Sent begun, long upTo) {
        Reach reach = database.histories().reach(selection(), begun.upTo(), upTo);
        if (reach.oldest() == null && from == From.BEGINNING) {
            throw new UnavailableException(
                    "Nothing is retained, so there is no history. Set sources[].retain to keep what is published from"
                            + " now on. To let the consumer begin with new events, pass the current time with --from.",
                    null);
        }
        String what = "to the queue " + queue + ", " + begun.what();
        long number = database.published().note("subscribe", what, reach.events(), note);
        console.note(label(database)
                + "subscribe %d: %s %s"
                        .formatted(
                                number,
                                begun.upTo() > from.after() ? "continuing with" : "sending",
                                left(reach, begun)));
        Notes notes = new Notes(database, history, begun, reach.events());
        Replay.Result result = replay(configuration, database, number, begun.upTo(), upTo, notes);
        notes.note(
                result.sent() + result.dropped() + result.skipped(), result.stopped() == null ? upTo : result.last());
        console.println(label(database) + sentence(result, number, reach, begun));
        if (result.stopped() == null) {
            sent.add(database.name());
        } else {
            stopped = true;
            database.published().note("subscribe stopped", "subscribe " + number, result.sent(), note);
        }
    }

    private static String left(Reach reach, Sent begun) {
        return Words.count(reach.events(), "event") + (begun.upTo() == 0 ? "" : " after position " + begun.upTo());
    }

    /** A missing right is the relay's, and says nothing of the event. */
    private static boolean isNotForTheQueue(Outcome failure) {
        return failure instanceof Outcome.Returned returned && returned.reason() != Reason.FORBIDDEN;
    }

    private Replay.Result replay(
            Configuration configuration, Database database, long number, long after, long upTo, Notes notes) {
        LaneSettings lane = configuration.lane();
        Limits limits = new Limits(lane.batchEvents(), lane.batchBytes(), lane.maxEventBytes());
        Published published = database.published();
        // What comes back is not meant for the queue. Nobody has to be asked whether a queue is down.
        BrokerSettings settings = configuration.broker().asking(null);
        try (Broker broker = new Broker(database.name(), "subscribe " + number, settings);
                RabbitPublisher publisher = RabbitPublisher.ofHistory(
                        database.name(),
                        broker,
                        settings,
                        new PublishMetrics(database.name(), new SimpleMeterRegistry()),
                        number,
                        queue)) {
            broker.start();
            return new Replay(
                            place -> published.next(selection(), place, limits).stream()
                                    .filter(event -> event.position() <= upTo)
                                    .toList(),
                            publisher,
                            System::nanoTime,
                            pace.settings(lane, (event, failure) -> isNotForTheQueue(failure)),
                            notes)
                    .run(after);
        } catch (InterruptedException e) {
            throw new IllegalStateException("Subscribe " + number + " was interrupted; run the command again", e);
        }
    }

    private String sentence(Replay.Result result, long number, Reach reach, Sent begun) {
        long removed = reach.events() - result.sent() - result.dropped() - result.skipped();
        StringBuilder words = new StringBuilder(
                "subscribe %d: sent %s to %s".formatted(number, Words.count(result.sent(), "event"), queue()));
        if (result.dropped() > 0) {
            words.append(", left out %s that no binding matches".formatted(Words.number(result.dropped())));
        }
        if (result.skipped() > 0) {
            words.append(", skipped %s that could not be sent".formatted(Words.number(result.skipped())));
        }
        if (result.stopped() != null) {
            return words.append(", then stopped: ")
                    .append(Words.plain(result.stopped()))
                    .append(". Fix the cause, then run the command again, or skip the event with --skip-failed.")
                    .toString();
        }
        if (removed > 0) {
            words.append(", missed %s that retention has removed meanwhile".formatted(Words.number(removed)));
        }
        return words.append(". ")
                .append(begun.upTo() > from.after() ? "" : oldest(reach))
                .toString()
                .strip();
    }

    /** Ends the history if there is one that this run has sent. */
    private int end(HistoryQueue history) {
        if (sent.isEmpty() || subscription == null) {
            return 0;
        }
        if (!withoutEnd) {
            history.end(subscription);
        } else if (!history.holds(subscription)) {
            throw history.lost();
        }
        int status = databases.each(database -> {
            if (sent.contains(database.name())) {
                database.histories().complete(queue);
            }
        });
        console.println("queue " + queue() + ": "
                + (withoutEnd
                        ? "the history is still open; the command for the last source ends it"
                        : "the history is complete; its consumer continues with new events after it"));
        return status;
    }

    /**
     * Notes in the database how far it is, as long as nothing of the history is deleted. What was sent before is lost
     * then, and the broker returns every event, as if no binding matched.
     */
    private final class Notes implements Replay.Listener {

        private final Database database;
        private final HistoryQueue history;
        private final Sent begun;
        private final Console.Progress progress;
        private long notedAt = System.nanoTime();

        Notes(Database database, HistoryQueue history, Sent begun, long events) {
            this.database = database;
            this.history = history;
            this.begun = begun;
            this.progress = console.new Progress(database.label(), events);
        }

        @Override
        public void reached(long events, long last) {
            progress.accept(events, ", position " + last);
            if (System.nanoTime() - notedAt >= BETWEEN_NOTES.toNanos()) {
                notedAt = System.nanoTime();
                note(events, last);
            }
        }

        void note(long events, long last) {
            boolean held;
            try {
                held = history.holds(begun.subscription());
            } catch (CannotSubscribeException e) {
                return; // the broker does not answer: the next note asks again, and in the end the end
            }
            if (!held) {
                throw history.lost();
            }
            database.histories().reached(queue, last, begun.events() + events);
        }

        @Override
        public void skipped(Event event, String why) {
            console.note("skipped: " + Words.plain(event + ": " + why));
        }
    }

    /**
     * Where a history begins.
     *
     * @param words as the user has said it
     * @param time only events published then or later; null for any
     * @param after only events behind this position
     */
    record From(String words, @Nullable Instant time, long after) {

        static final From BEGINNING = new From("from the beginning", null, 0);
    }

    /** Parses where a history begins. */
    static final class FromConverter implements ITypeConverter<From> {

        private static final int MOST_DIGITS = 18;

        @Override
        public From convert(String text) {
            if (text.equalsIgnoreCase("beginning")) {
                return From.BEGINNING;
            }
            if (text.matches("\\d{1," + MOST_DIGITS + "}")) {
                long position = Math.max(1, Long.parseLong(text));
                return new From("from position " + position, null, position - 1);
            }
            Instant time = new Words.TimeConverter().convert(text);
            return new From("published from " + time, time, 0);
        }
    }
}
