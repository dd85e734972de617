package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Retained;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Failures.State;
import io.outboxrelay.relay.database.Failures.Unpublished;
import io.outboxrelay.relay.database.Failures.Whereabouts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
        description = "Explains where an event is, what it waits for, and what you can do about it. Reads the"
                + " whole outbox.",
        footer = {"", "Exit status: 0 all sources answered, 1 a source did not answer, 2 wrong use or configuration."})
final class ExplainCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Parameters(paramLabel = "EVENT_ID", converter = Words.EventIdConverter.class, description = "Id of the event.")
    private @Nullable UUID event;

    @Option(names = "--json", description = "Print JSON instead of sentences.")
    private boolean json;

    ExplainCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        UUID id = Objects.requireNonNull(event);
        return databases.ask(
                json,
                database -> new Explanation(
                        database.source(), id, database.failures().locate(id)));
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
            List<String> sentences = new ArrayList<>();
            Unpublished unpublished = found.unpublished();
            Failure failure = found.failure();
            if (failure != null) {
                failed(sentences, failure);
            } else if (unpublished != null) {
                waits(sentences, unpublished);
            } else if (found.retained() != null) {
                published(sentences, found.retained());
            } else {
                sentences.add("It is not in the outbox, not among the failures, and not among the retained events.");
            }
            boolean discarded = noted(sentences);
            if (failure == null && unpublished == null && found.retained() == null && !discarded) {
                sentences.add("Either it was published (and not retained), or it was never committed here.");
            }
            return String.join("\n", sentences) + "\n";
        }

        private void published(List<String> sentences, Retained retained) {
            sentences.add(("%s of %s was settled at %s (%s ago) from lane %d, position %d, and is retained: it was"
                            + " published and confirmed, or dropped because of retry.unroutable.")
                    .formatted(
                            Words.plain(retained.address().eventType()),
                            FailureView.aggregate(retained.address()),
                            Words.time(retained.publishedAt()),
                            Words.duration(Duration.between(retained.publishedAt(), retained.readAt())),
                            retained.address().lane(),
                            retained.address().position()));
            sentences.add("To send it again, run: replay --source %s %s --reason TEXT".formatted(source, event));
        }

        private void waits(List<String> sentences, Unpublished unpublished) {
            sentences.add("%s of %s is in the outbox, not published yet: lane %d, position %d, occurred at %s."
                    .formatted(
                            Words.plain(unpublished.address().eventType()),
                            FailureView.aggregate(unpublished.address()),
                            unpublished.address().lane(),
                            unpublished.address().position(),
                            occurred(unpublished)));
            sentences.add("Ahead of it: %s in its lane, %s of them of its aggregate."
                    .formatted(
                            Words.count(unpublished.beforeInLane(), "event"),
                            Words.number(unpublished.beforeInAggregate())));
            lane(sentences, found.lane());
            if (found.first() != null) {
                sentences.add("Its aggregate is blocked by an event that failed.");
                next(sentences, found.first());
            }
            pauses(sentences);
        }

        private static String occurred(Unpublished unpublished) {
            Instant time = unpublished.occurredAt();
            return time == null
                    ? "an unreadable time"
                    : "%s (%s ago)"
                            .formatted(Words.time(time), Words.duration(Duration.between(time, unpublished.readAt())));
        }

        private void failed(List<String> sentences, Failure failure) {
            sentences.add("%s of %s: failed, %s for %s.%s"
                    .formatted(
                            Words.plain(failure.address().eventType()),
                            FailureView.aggregate(failure.address()),
                            failure.state(),
                            Words.duration(FailureView.age(failure)),
                            why(failure)));
            if (!failure.blocking()) {
                sentences.add("It does not block its aggregate: later events are published.");
            }
            lane(sentences, found.lane());
            if (failure.before() > 0) {
                sentences.add(events(failure.before(), "earlier", failure) + " ahead of it.");
            }
            if (failure.behind() > 0) {
                sentences.add(events(failure.behind(), "later", failure) + " waiting behind it.");
            }
            boolean waitsForAnother = failure.state() == State.WAITING && found.first() != null;
            next(sentences, waitsForAnother ? found.first() : failure);
            pauses(sentences);
        }

        private static String events(long number, String which, Failure failure) {
            return "%s of %s %s"
                    .formatted(
                            Words.count(number, which + " event"),
                            FailureView.aggregate(failure.address()),
                            number == 1 ? "is" : "are");
        }

        private static String why(Failure failure) {
            if (failure.reason() == null) {
                return "";
            }
            String detail = failure.detail() == null ? "" : " – " + failure.detail();
            return " Last failure: %s%s (attempts: %d)."
                    .formatted(Words.plain(failure.reason()), Words.plain(detail), failure.attempts());
        }

        private static void lane(List<String> sentences, @Nullable Lane lane) {
            if (lane == null) {
                return;
            }
            if (lane.owner() == null || lane.leaseSeconds() <= 0) {
                sentences.add("No relay owns lane %d: start one.".formatted(lane.lane()));
            } else {
                sentences.add("Lane %d is owned by %s; the lease is valid for another %s."
                        .formatted(lane.lane(), Words.plain(lane.owner()), Words.duration(Duration.ofMillis((long)
                                (lane.leaseSeconds() * 1000)))));
            }
        }

        /** What the next event of the aggregate waits for; it may be this event itself. */
        private void next(List<String> sentences, Failure next) {
            String subject = next.event().equals(event) ? "It" : "Event " + next.event();
            switch (next.state()) {
                case RETRYING ->
                    sentences.add("%s %s.%s"
                            .formatted(
                                    subject.equals("It") ? "Next attempt" : subject + ": next attempt",
                                    when(next),
                                    subject.equals("It") ? "" : why(next)));
                case PARKED -> {
                    sentences.add("%s is parked %s.%s"
                            .formatted(
                                    subject,
                                    next.nextAttemptAt() == null
                                            ? "until somebody retries or discards it"
                                            : "and still retried slowly: next attempt " + when(next),
                                    subject.equals("It") ? "" : why(next)));
                    sentences.add("Once the cause is fixed%s, run: failures retry --source %s %s"
                            .formatted(
                                    next.nextAttemptAt() == null ? "" : ", or to retry it now", source, next.event()));
                    sentences.add("To drop it permanently, run: failures discard --source %s %s --reason TEXT"
                            .formatted(source, next.event()));
                }
                case PAUSED -> sentences.add("%s is paused until somebody runs resume.".formatted(subject));
                default -> sentences.add("%s moves up as soon as the relay processes its lane.".formatted(subject));
            }
        }

        private static String when(Failure failure) {
            if (failure.nextAttemptAt() == null || !failure.nextAttemptAt().isAfter(failure.readAt())) {
                return "now, in the next cycle of its lane";
            }
            return "in " + Words.duration(Duration.between(failure.readAt(), failure.nextAttemptAt()));
        }

        private void pauses(List<String> sentences) {
            for (Pause pause : found.pauses()) {
                sentences.add("Paused since %s by %s (%s): %s."
                        .formatted(
                                Words.time(pause.pausedAt()),
                                Words.plain(pause.pausedBy()),
                                Words.plain(pause.reason()),
                                PauseCommand.name(pause.route())));
                sentences.add("To resume, run: resume --source %s%s%s"
                        .formatted(
                                source,
                                option("--aggregate-type", pause.route().aggregateType()),
                                option("--event-type", pause.route().eventType())));
            }
            Failure failure = found.failure();
            if (failure != null
                    && failure.state() == State.PAUSED
                    && found.pauses().isEmpty()) {
                sentences.add("The pause is over: the owner of its lane will publish it.");
            }
        }

        private static String option(String name, String type) {
            return type.equals(Route.ANY) ? "" : " " + name + " " + Words.plain(type);
        }

        private boolean noted(List<String> sentences) {
            List<Audited> audit = found.audit();
            if (audit == null) {
                sentences.add("Audit log not shown: it needs a database user with the role outbox_admin (--user,"
                        + " --password-file).");
                return false;
            }
            audit.forEach(entry -> sentences.add("Audit: %s at %s by %s%s."
                    .formatted(
                            entry.action(),
                            Words.time(entry.at()),
                            Words.plain(entry.who()),
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
                ObjectNode entry = json.putObject("outbox");
                FailureView.add(entry, unpublished.address());
                entry.put("payload_bytes", unpublished.payloadBytes());
                entry.put("occurred_at", FailureView.text(unpublished.occurredAt()));
                entry.put("before_in_lane", unpublished.beforeInLane());
                entry.put("before_in_aggregate", unpublished.beforeInAggregate());
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
            Lane lane = found.lane();
            if (lane == null) {
                json.putNull("lane");
            } else {
                json.putObject("lane")
                        .put("lane", lane.lane())
                        .put("owner", lane.owner())
                        .put("epoch", lane.epoch())
                        .put("lease_seconds", lane.leaseSeconds());
            }
            PauseCommand.add(json, found.pauses());
            List<Audited> audit = found.audit();
            if (audit == null) {
                json.putNull("audit");
            } else {
                ArrayNode entries = json.putArray("audit");
                audit.forEach(entry -> entries.addObject()
                        .put("at", entry.at().toString())
                        .put("who", entry.who())
                        .put("action", entry.action())
                        .put("reason", entry.reason()));
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
}
