package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Address;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Route;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sentences about what an event waits for, each with the command that helps. Used by one thread. */
final class Advice {

    private final String source;
    private final @Nullable String consumer;
    private final List<String> sentences = new ArrayList<>();

    /** Begins with no sentence; the commands name this source. */
    Advice(String source) {
        this(source, null);
    }

    private Advice(String source, @Nullable String consumer) {
        this.source = source;
        this.consumer = consumer;
    }

    /** {@return advice about events that a consumer gave up; the commands name this database and the consumer} */
    static Advice ofConsumer(String database, String consumer) {
        return new Advice(database, consumer);
    }

    /** {@return a command about failures, without the event} */
    private String failures(String verb) {
        return consumer == null
                ? "failures %s --source %s".formatted(verb, source)
                : "inbox failures %s --source %s --consumer %s".formatted(verb, source, Words.quoted(consumer));
    }

    void say(String sentence) {
        sentences.add(sentence);
    }

    /** Says who publishes a lane. */
    void lane(@Nullable Lane lane) {
        if (lane == null) {
            return;
        }
        if (lane.owner() == null || lane.leaseSeconds() <= 0) {
            say("No relay owns lane %d. Start a relay.".formatted(lane.lane()));
        } else {
            say("Lane %d is owned by %s; the lease is valid for another %s."
                    .formatted(lane.lane(), Words.plain(lane.owner()), Words.duration(Duration.ofMillis((long)
                            (lane.leaseSeconds() * 1000)))));
        }
    }

    /**
     * Says what the next event of an aggregate waits for.
     *
     * @param next the first failure of the aggregate
     * @param itself whether that is the event that was asked about; otherwise the reason of its failure is added
     */
    void next(Failure next, boolean itself) {
        String subject = itself ? "It" : "Event " + next.event();
        String reason = itself ? "" : why(next);
        switch (next.state()) {
            case RETRYING -> {
                say("%s %s.%s".formatted(itself ? "Next attempt" : subject + ": next attempt", when(next), reason));
                if (isLater(next)) {
                    say("Once the cause is fixed, to retry it now, run: %s %s"
                            .formatted(failures("retry --now"), next.event()));
                }
            }
            case PARKED -> {
                say("%s is parked %s.%s"
                        .formatted(
                                subject,
                                next.nextAttemptAt() == null
                                        ? "until somebody retries or discards it"
                                        : "and still retried slowly: next attempt " + when(next),
                                reason));
                say("Once the cause is fixed%s, run: %s %s"
                        .formatted(
                                next.nextAttemptAt() == null ? "" : ", or to retry it now",
                                failures("retry"),
                                next.event()));
                say("To drop it permanently, run: %s %s --reason TEXT".formatted(failures("discard"), next.event()));
            }
            case PAUSED -> say("%s is paused until somebody runs resume.".formatted(subject));
            default ->
                say("%s moves up as soon as %s."
                        .formatted(
                                subject,
                                consumer == null
                                        ? "the relay processes its lane"
                                        : "a running process of the consumer takes it"));
        }
    }

    /** Says how many events of its aggregate are ahead of a failure and behind it. */
    void neighbours(Failure failure) {
        if (failure.before() > 0) {
            say(events(failure.before(), "earlier", failure) + " ahead of it.");
        }
        if (failure.behind() > 0) {
            say(events(failure.behind(), "later", failure) + " waiting behind it.");
        }
    }

    private static String events(long number, String which, Failure failure) {
        return "%s of %s %s"
                .formatted(
                        Words.count(number, which + " event"),
                        FailureView.aggregate(failure.place()),
                        number == 1 ? "is" : "are");
    }

    /** Says what is paused, and how to resume it. */
    void pauses(List<Pause> pauses) {
        for (Pause pause : pauses) {
            say("Paused since %s by %s (%s): %s."
                    .formatted(
                            Words.time(pause.pausedAt()),
                            Words.plain(pause.pausedBy()),
                            Words.plain(pause.reason()),
                            PauseCommand.name(pause.route())));
            say("To resume, run: resume --source %s%s%s"
                    .formatted(
                            source,
                            option("--aggregate-type", pause.route().aggregateType()),
                            option("--event-type", pause.route().eventType())));
        }
    }

    private static String option(String name, String type) {
        return type.equals(Route.ANY) ? "" : " " + name + " " + Words.quoted(type);
    }

    /** Says what people did to an event, as the audit names it, or why that is not known. */
    void audit(@Nullable List<Audited> audit) {
        if (audit == null) {
            say("Audit log not shown: it needs a database user with the role outbox_admin (--user, --password-file).");
        } else {
            audit.forEach(entry -> say("Audit: %s at %s by %s%s."
                    .formatted(
                            entry.action(),
                            Words.time(entry.at()),
                            AuditCommand.who(entry),
                            entry.reason().isEmpty() ? "" : ": " + Words.plain(entry.reason()))));
        }
    }

    /** {@return why an event failed last, with a space before it; empty when it has not failed} */
    static String why(Failure failure) {
        if (failure.reason() == null) {
            return "";
        }
        String detail = failure.detail() == null ? "" : " – " + failure.detail();
        return " Last failure: %s%s (%s%s spent)."
                .formatted(
                        Words.plain(failure.reason()),
                        Words.plain(detail),
                        failure.place() instanceof Address
                                ? Words.count(failure.failures(), "failure") + " in a row, "
                                : "",
                        Words.count(failure.attempts(), "attempt"));
    }

    private String when(Failure failure) {
        return isLater(failure) && failure.nextAttemptAt() != null
                ? "in " + Words.duration(Duration.between(failure.readAt(), failure.nextAttemptAt()))
                : consumer == null
                        ? "now, in the next cycle of its lane"
                        : "now, when a running process of the consumer takes it";
    }

    private static boolean isLater(Failure failure) {
        return failure.nextAttemptAt() != null && failure.nextAttemptAt().isAfter(failure.readAt());
    }

    /** {@return all sentences, each on a line} */
    String text() {
        return String.join("\n", sentences) + "\n";
    }
}
