package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.DatabaseOptions.Reach;
import io.outboxrelay.relay.database.Consumers.Handling;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.Retained;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Failures.Undelivered;
import io.outboxrelay.relay.database.Failures.Unpublished;
import io.outboxrelay.relay.database.Failures.Whereabouts;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = "Explains where an event is, what each consumer has done with it, what it waits for, and what"
                + " you can do about it. With --aggregate-type and --aggregate-id: all undelivered and unprocessed"
                + " events of that aggregate, and which of them blocks the others. Reads the whole outbox.",
        footer = {"", "Exit status: 0 all databases answered, 1 one did not answer, 2 wrong use or configuration."})
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
        this.databases = new DatabaseOptions(environment, Reach.ALL);
    }

    @Override
    public Integer call() {
        String type = aggregateType;
        String id = aggregateId;
        if (event != null && type == null && id == null) {
            UUID wanted = Words.EventIdConverter.all(List.of(event), console).get(0);
            return databases.ask(json, database -> explain(database, wanted));
        }
        if (event == null && type != null && id != null) {
            return databases.ask(json, database -> explain(database, type, id));
        }
        throw console.wrongUse("Say which event, EVENT_ID, or which aggregate, --aggregate-type and --aggregate-id.");
    }

    private static Answer explain(Database database, UUID event) {
        return database.isSource()
                ? new Explanation(
                        database.name(),
                        event,
                        database.failures().locate(event),
                        Known.of(database, () -> database.consumers().handling(event)))
                : new InboxExplanation(
                        database.name(), event, database.consumers().handling(event));
    }

    private static Answer explain(Database database, String type, String id) {
        Filter its = new Filter(List.of(), Set.of(State.values()), null, null, type, id, null);
        Supplier<Listing> atConsumers =
                () -> database.consumers().failedEvents().list(its, MOST_LISTED);
        return database.isSource()
                ? new AggregateExplanation(
                        database.name(),
                        type,
                        id,
                        database.failures().undelivered(type, id, MOST_LISTED),
                        Known.of(database, atConsumers))
                : new InboxAggregateExplanation(database.name(), type, id, atConsumers.get());
    }

    /**
     * What is known of the consumers in the database of a source. What keeps it from being known does not hide the
     * rest.
     *
     * @param value null if it is not known
     * @param problem why it is not known
     */
    private record Known<T>(@Nullable T value, @Nullable String problem) {

        static <T> Known<T> of(Database database, Supplier<T> question) {
            try {
                database.consumers().requireVersion();
                return new Known<>(question.get(), null);
            } catch (UnavailableException e) {
                return new Known<>(null, e.getMessage());
            }
        }

        /** {@return the text about the value, or why there is none} */
        String text(Function<T, String> words) {
            return value == null ? "Its consumers are not shown: " + problem + "\n" : words.apply(value);
        }
    }

    /**
     * Where an event is, in sentences; the last ones say what can be done.
     *
     * @param source name of the source
     * @param event its id
     * @param found what the database shows of its way to the broker
     * @param handling what it shows of the event's consumers
     */
    private record Explanation(String source, UUID event, Whereabouts found, Known<Handling> handling)
            implements Answer {

        @Override
        public String text() {
            return ofOutbox() + handling.text(known -> new ConsumerView(source).of(event, known));
        }

        private String ofOutbox() {
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
                            Words.plain(failure.place().eventType()),
                            FailureView.aggregate(failure.place()),
                            failure.reason() == null ? failure.state() : "failed, " + failure.state(),
                            Words.duration(FailureView.age(failure)),
                            Advice.why(failure)));
            if (!failure.blocking()) {
                advice.say("It does not block its aggregate: later events are published.");
            }
            advice.lane(found.lane());
            advice.neighbours(failure);
            if (failure.before() + failure.behind() > 0) {
                advice.say("To see all of them, run: explain --source %s --aggregate-type %s --aggregate-id %s"
                        .formatted(
                                source,
                                Words.quoted(failure.place().aggregateType()),
                                Words.quoted(failure.place().aggregateId())));
            }
            Failure first = found.first();
            Failure next = failure.state() == State.WAITING && first != null ? first : failure;
            advice.next(next, next.event().equals(event));
            advice.pauses(found.pauses());
            if (failure.state() == State.PAUSED && found.pauses().isEmpty()) {
                advice.say("The pause has ended. The relay that owns the lane will publish it.");
            }
        }

        private boolean noted(Advice advice) {
            advice.audit(found.audit());
            return found.audit() != null
                    && found.audit().stream().anyMatch(entry -> entry.action().equals("discard"));
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
            putConsumers(json, source, event, handling.value());
            putAudit(json, found.audit());
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

    private static void putConsumers(ObjectNode json, String database, UUID event, @Nullable Handling handling) {
        if (handling == null) {
            json.putNull("consumers");
        } else {
            new ConsumerView(database).add(json.putArray("consumers"), event, handling);
        }
    }

    private static void putAudit(ObjectNode json, @Nullable List<Audited> audit) {
        if (audit == null) {
            json.putNull("audit");
        } else {
            ArrayNode entries = json.putArray("audit");
            audit.forEach(entry -> AuditCommand.add(entries.addObject(), entry));
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
     * @param found what the database shows of their way to the broker
     * @param unprocessed what it shows of their consumers
     */
    private record AggregateExplanation(
            String source, String type, String id, Undelivered found, Known<Listing> unprocessed) implements Answer {

        @Override
        public String text() {
            return ofOutbox()
                    + unprocessed.text(listing ->
                            listing.failures().isEmpty() ? "" : new ConsumerView(source).ofAggregate(name(), listing));
        }

        private String ofOutbox() {
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
                            Words.plain(failure.place().eventType()),
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
            putUnprocessed(json, unprocessed.value());
            json.put("explanation", text());
        }
    }

    private static void putUnprocessed(ObjectNode json, @Nullable Listing listing) {
        if (listing == null) {
            json.putNull("first_at_consumers");
        } else {
            ArrayNode failures = json.putArray("first_at_consumers");
            listing.failures().forEach(failure -> FailureView.add(failures.addObject(), failure));
        }
    }

    /**
     * What the consumers of an inbox have done with an event.
     *
     * @param inbox its name
     * @param event the event's id
     * @param handling what the database shows
     */
    private record InboxExplanation(String inbox, UUID event, Handling handling) implements Answer {

        @Override
        public String text() {
            if (handling.consumers().isEmpty()) {
                return "No consumer has used this inbox.\n";
            }
            Advice advice = new Advice(inbox);
            advice.audit(handling.audit());
            return new ConsumerView(inbox).of(event, handling) + advice.text().stripLeading();
        }

        @Override
        public void addTo(ObjectNode json) {
            json.put("event_id", event.toString());
            putConsumers(json, inbox, event, handling);
            putAudit(json, handling.audit());
            json.put("explanation", text());
        }
    }

    /**
     * The events of an aggregate that the consumers of an inbox have given up.
     *
     * @param inbox its name
     * @param type the aggregate's type
     * @param id its id
     * @param listing the first of them, in their order
     */
    private record InboxAggregateExplanation(String inbox, String type, String id, Listing listing) implements Answer {

        @Override
        public String text() {
            String name = Words.plain(type + " " + id);
            return listing.failures().isEmpty()
                    ? "No consumer has given up an event of %s. Types and ids are compared exactly.\n".formatted(name)
                    : new ConsumerView(inbox).ofAggregate(name, listing);
        }

        @Override
        public void addTo(ObjectNode json) {
            json.put("aggregate_type", type);
            json.put("aggregate_id", id);
            putUnprocessed(json, listing);
            json.put("explanation", text());
        }
    }
}
