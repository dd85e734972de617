package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Retained;
import io.outboxrelay.relay.database.Failures.Undelivered;
import io.outboxrelay.relay.database.Failures.Unpublished;
import io.outboxrelay.relay.database.Failures.Whereabouts;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = "Explains where an event is, what it waits for, and what you can do about it. With"
                + " --aggregate-type and --aggregate-id: all undelivered events of that aggregate, and which of them"
                + " blocks the others. Reads the whole outbox.",
        footer = {"", "Exit status: 0 all sources answered, 1 a source did not answer, 2 wrong use or configuration."})
final class ExplainCommand implements Callable<Integer> {

    private static final int MOST_LISTED = 50;

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    /** A text, as {@code EventIdConverter.all} wants it. */
    @Parameters(arity = "0..1", paramLabel = "EVENT_ID", description = "Id of the event.")
    private @Nullable String event;

    @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Type of the aggregate.")
    private @Nullable String aggregateType;

    @Option(names = "--aggregate-id", paramLabel = "ID", description = "Id of the aggregate.")
    private @Nullable String aggregateId;

    @Option(names = "--json", description = "Print JSON instead of sentences.")
    private boolean json;

    ExplainCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        String type = aggregateType;
        String id = aggregateId;
        if (event != null && type == null && id == null) {
            UUID wanted = Words.EventIdConverter.all(List.of(event), console).get(0);
            return databases.ask(
                    json,
                    database -> new Explanation(
                            database.source(), wanted, database.failures().locate(wanted)));
        }
        if (event == null && type != null && id != null) {
            return databases.ask(
                    json,
                    database -> new AggregateExplanation(
                            database.source(), type, id, database.failures().undelivered(type, id, MOST_LISTED)));
        }
        throw console.wrongUse("Say which event, EVENT_ID, or which aggregate, --aggregate-type and --aggregate-id.");
    }

    /**
     * Where an event is, in sentences; the last ones say what can be done.
     *
     * @param source name of the source
     * @param event its id
     * @param found what the database shows
     */
    private record Explanation(String source, UUID event, Whereabouts found) implements Answer {

        @Override
        public String text() {
            Advice advice = new Advice(source);
            Unpublished unpublished = found.unpublished();
            Failure failure = found.failure();
            if (failure != null) {
                failed(advice, failure);
            } else if (unpublished != null) {
                waits(advice, unpublished);
            } else if (found.retained() != null) {
                published(advice, found.retained());
            } else {
                advice.say("It is not in the outbox, not among the failures, and not among the retained events.");
            }
            boolean discarded = noted(advice);
            if (failure == null && unpublished == null && found.retained() == null && !discarded) {
                advice.say("Either it was published (and not retained), or it was never committed here.");
            }
            return advice.text();
        }

        private void published(Advice advice, Retained retained) {
            advice.say(("%s of %s was settled at %s (%s ago) from lane %d, position %d, and is retained: it was"
                            + " published and confirmed, or dropped because of retry.unroutable.")
                    .formatted(
                            Words.plain(retained.address().eventType()),
                            FailureView.aggregate(retained.address()),
                            Words.time(retained.publishedAt()),
                            Words.duration(Duration.between(retained.publishedAt(), retained.readAt())),
                            retained.address().lane(),
                            retained.address().position()));
            advice.say("To send it again, run: replay --source %s %s --reason TEXT".formatted(source, event));
        }

        private void waits(Advice advice, Unpublished unpublished) {
            advice.say("%s of %s is in the outbox, not published yet: lane %d, position %d, occurred at %s."
                    .formatted(
                            Words.plain(unpublished.address().eventType()),
                            FailureView.aggregate(unpublished.address()),
                            unpublished.address().lane(),
                            unpublished.address().position(),
                            occurred(unpublished)));
            advice.say(
                    unpublished.beforeInLane() == 0
                            ? "No earlier events in its lane."
                            : "%s in its lane, %s of them of the same aggregate."
                                    .formatted(
                                            Words.count(unpublished.beforeInLane(), "earlier event"),
                                            Words.number(unpublished.beforeInAggregate())));
            advice.lane(found.lane());
            if (found.first() != null) {
                advice.say("Its aggregate is blocked by an event that failed.");
                advice.next(found.first(), false);
            }
            advice.pauses(found.pauses());
        }

        private static String occurred(Unpublished unpublished) {
            Instant time = unpublished.occurredAt();
            return time == null
                    ? "an unreadable time"
                    : "%s (%s ago)"
                            .formatted(Words.time(time), Words.duration(Duration.between(time, unpublished.readAt())));
        }

        private void failed(Advice advice, Failure failure) {
            advice.say("%s of %s: %s for %s.%s"
                    .formatted(
                            Words.plain(failure.address().eventType()),
                            FailureView.aggregate(failure.address()),
                            failure.reason() == null ? failure.state() : "failed, " + failure.state(),
                            Words.duration(FailureView.age(failure)),
                            Advice.why(failure)));
            if (!failure.blocking()) {
                advice.say("It does not block its aggregate: later events are published.");
            }
            advice.lane(found.lane());
            if (failure.before() > 0) {
                advice.say(events(failure.before(), "earlier", failure) + " ahead of it.");
            }
            if (failure.behind() > 0) {
                advice.say(events(failure.behind(), "later", failure) + " waiting behind it.");
            }
            if (failure.before() + failure.behind() > 0) {
                advice.say("To see all of them, run: explain --source %s --aggregate-type %s --aggregate-id %s"
                        .formatted(
                                source,
                                Words.quoted(failure.address().aggregateType()),
                                Words.quoted(failure.address().aggregateId())));
            }
            Failure first = found.first();
            Failure next = failure.state() == State.WAITING && first != null ? first : failure;
            advice.next(next, next.event().equals(event));
            advice.pauses(found.pauses());
            if (failure.state() == State.PAUSED && found.pauses().isEmpty()) {
                advice.say("The pause has ended. The relay that owns the lane will publish it.");
            }
        }

        private static String events(long number, String which, Failure failure) {
            return "%s of %s %s"
                    .formatted(
                            Words.count(number, which + " event"),
                            FailureView.aggregate(failure.address()),
                            number == 1 ? "is" : "are");
        }

        private boolean noted(Advice advice) {
            List<Audited> audit = found.audit();
            if (audit == null) {
                advice.say("Audit log not shown: it needs a database user with the role outbox_admin (--user,"
                        + " --password-file).");
                return false;
            }
            audit.forEach(entry -> advice.say("Audit: %s at %s by %s%s."
                    .formatted(
                            entry.action(),
                            Words.time(entry.at()),
                            AuditCommand.who(entry),
                            entry.reason().isEmpty() ? "" : ": " + Words.plain(entry.reason()))));
            return audit.stream().anyMatch(entry -> entry.action().equals("discard"));
        }

        @Override
        public void addTo(ObjectNode json) {
            json.put("event_id", event.toString());
            Unpublished unpublished = found.unpublished();
            if (unpublished == null) {
                json.putNull("outbox");
            } else {
                ObjectNode outbox = json.putObject("outbox");
                putUnpublished(outbox, unpublished);
                outbox.put("before_in_lane", unpublished.beforeInLane());
            }
            Retained retained = found.retained();
            if (retained == null) {
                json.putNull("published");
            } else {
                ObjectNode entry = json.putObject("published");
                FailureView.add(entry, retained.address());
                entry.put("published_at", retained.publishedAt().toString());
            }
            add(json, "failure", found.failure());
            add(json, "first_of_aggregate", found.first());
            putLane(json, found.lane());
            PauseCommand.add(json, found.pauses());
            List<Audited> audit = found.audit();
            if (audit == null) {
                json.putNull("audit");
            } else {
                ArrayNode entries = json.putArray("audit");
                audit.forEach(entry -> AuditCommand.add(entries.addObject(), entry));
            }
            json.put("explanation", text());
        }

        private static void add(ObjectNode json, String name, @Nullable Failure failure) {
            if (failure == null) {
                json.putNull(name);
            } else {
                FailureView.add(json.putObject(name), failure);
            }
        }
    }

    private static void putUnpublished(ObjectNode json, Unpublished unpublished) {
        json.put("event_id", unpublished.event().toString());
        FailureView.add(json, unpublished.address());
        json.put("payload_bytes", unpublished.payloadBytes());
        json.put("occurred_at", FailureView.text(unpublished.occurredAt()));
        json.put("before_in_aggregate", unpublished.beforeInAggregate());
    }

    private static void putLane(ObjectNode json, @Nullable Lane lane) {
        if (lane == null) {
            json.putNull("lane");
        } else {
            json.putObject("lane")
                    .put("lane", lane.lane())
                    .put("owner", lane.owner())
                    .put("epoch", lane.epoch())
                    .put("lease_seconds", lane.leaseSeconds());
        }
    }

    /**
     * The undelivered events of an aggregate, in their order, and what the first of them waits for.
     *
     * @param source name of the source
     * @param type the aggregate's type
     * @param id its id
     * @param found what the database shows
     */
    private record AggregateExplanation(String source, String type, String id, Undelivered found) implements Answer {

        @Override
        public String text() {
            long events = found.failed() + found.inOutbox();
            Advice advice = new Advice(source);
            if (events == 0) {
                advice.say(("%s has no undelivered events here: they were published, or never committed. Types and ids"
                                + " are compared exactly.")
                        .formatted(name()));
                return advice.text();
            }
            advice.say("%s has %s, in this order:".formatted(name(), Words.count(events, "undelivered event")));
            advice.say(table().indent(2).stripTrailing());
            long listed = found.failures().size() + found.unpublished().size();
            if (listed < events) {
                advice.say("%s more %s not listed."
                        .formatted(Words.number(events - listed), events - listed == 1 ? "is" : "are"));
            }
            advice.lane(found.lane());
            Failure first = found.first();
            if (first != null) {
                if (events > 1) {
                    advice.say("The others wait for event %s.".formatted(first.event()));
                }
                advice.next(first, false);
            }
            advice.pauses(found.pauses());
            return advice.text();
        }

        private String name() {
            return Words.plain(type + " " + id);
        }

        private String table() {
            Words.Table table = new Words.Table("state", "for", "event", "type", "reason");
            found.failures()
                    .forEach(failure -> table.row(
                            failure.state() + (failure.blocking() ? "" : ", not blocking"),
                            Words.duration(FailureView.age(failure)),
                            failure.event().toString(),
                            Words.plain(failure.address().eventType()),
                            failure.reason() == null ? "-" : Words.plain(failure.reason())));
            found.unpublished()
                    .forEach(event -> table.row(
                            "in the outbox",
                            event.occurredAt() == null
                                    ? "-"
                                    : Words.duration(Duration.between(event.occurredAt(), event.readAt())),
                            event.event().toString(),
                            Words.plain(event.address().eventType()),
                            "-"));
            return table.toString();
        }

        @Override
        public void addTo(ObjectNode json) {
            json.put("aggregate_type", type);
            json.put("aggregate_id", id);
            json.put("failures", found.failed());
            json.put("outbox", found.inOutbox());
            json.put(
                    "blocked_by",
                    found.first() == null ? null : found.first().event().toString());
            ArrayNode failures = json.putArray("first_failures");
            found.failures().forEach(failure -> FailureView.add(failures.addObject(), failure));
            ArrayNode unpublished = json.putArray("first_in_outbox");
            found.unpublished().forEach(event -> putUnpublished(unpublished.addObject(), event));
            putLane(json, found.lane());
            PauseCommand.add(json, found.pauses());
            json.put("explanation", text());
        }
    }
}
