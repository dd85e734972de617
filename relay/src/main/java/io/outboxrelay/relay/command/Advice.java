package io.outboxrelay.relay.command;

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
    private final List<String> sentences = new ArrayList<>();

    /** Begins with no sentence; the commands name this source. */
    Advice(String source) {
        this.source = source;
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
                    say("Once the cause is fixed, to retry it now, run: failures retry --now --source %s %s"
                            .formatted(source, next.event()));
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
                say("Once the cause is fixed%s, run: failures retry --source %s %s"
                        .formatted(next.nextAttemptAt() == null ? "" : ", or to retry it now", source, next.event()));
                say("To drop it permanently, run: failures discard --source %s %s --reason TEXT"
                        .formatted(source, next.event()));
            }
            case PAUSED -> say("%s is paused until somebody runs resume.".formatted(subject));
            default -> say("%s moves up as soon as the relay processes its lane.".formatted(subject));
        }
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

    /** {@return why an event failed last, with a space before it; empty when it has not failed} */
    static String why(Failure failure) {
        if (failure.reason() == null) {
            return "";
        }
        String detail = failure.detail() == null ? "" : " – " + failure.detail();
        return " Last failure: %s%s (%s in a row, %s spent)."
                .formatted(
                        Words.plain(failure.reason()),
                        Words.plain(detail),
                        Words.count(failure.failures(), "failure"),
                        Words.count(failure.attempts(), "attempt"));
    }

    private static String when(Failure failure) {
        return isLater(failure) && failure.nextAttemptAt() != null
                ? "in " + Words.duration(Duration.between(failure.readAt(), failure.nextAttemptAt()))
                : "now, in the next cycle of its lane";
    }

    private static boolean isLater(Failure failure) {
        return failure.nextAttemptAt() != null && failure.nextAttemptAt().isAfter(failure.readAt());
    }

    /** {@return all sentences, each on a line} */
    String text() {
        return String.join("\n", sentences) + "\n";
    }
}
