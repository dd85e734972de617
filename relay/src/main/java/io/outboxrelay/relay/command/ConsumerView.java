package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Consumers.AtConsumer;
import io.outboxrelay.relay.database.Consumers.Handling;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What consumers have done with an event or an aggregate, in sentences and as JSON.
 *
 * @param database name of the source or inbox, for the commands that help
 */
record ConsumerView(String database) {

    private static final String DISCARDED = "inbox discard";

    /** {@return what each consumer has done with an event, each ended by a line break; empty without consumers} */
    String of(UUID event, Handling handling) {
        return handling.consumers().stream()
                .map(one -> of(event, one, handling))
                .collect(Collectors.joining());
    }

    private String of(UUID event, AtConsumer one, Handling handling) {
        Advice advice = Advice.ofConsumer(database, one.consumer());
        String name = "Consumer " + Words.plain(one.consumer());
        Failure failure = one.failure();
        if (failure != null) {
            failed(advice, name, failure, one.first());
        } else if (isDiscarded(event, one, handling)) {
            advice.say(name + ": discarded.");
        } else if (one.notedAt() != null) {
            advice.say("%s has processed it%s: noted at %s (%s ago)."
                    .formatted(
                            name,
                            handling.audit() == null ? ", or somebody has discarded it" : "",
                            Words.time(one.notedAt()),
                            Words.duration(Duration.between(one.notedAt(), handling.readAt()))));
        } else {
            advice.say(name + " knows nothing of it: it has not arrived, or is not meant for this consumer.");
        }
        return advice.text();
    }

    private static void failed(Advice advice, String name, Failure failure, @Nullable Failure first) {
        advice.say("%s: %s of %s: %s for %s.%s"
                .formatted(
                        name,
                        Words.plain(failure.place().eventType()),
                        FailureView.aggregate(failure.place()),
                        failure.state() == State.WAITING ? failure.state() : "failed, " + failure.state(),
                        Words.duration(FailureView.age(failure)),
                        Advice.why(failure)));
        advice.neighbours(failure);
        Failure next = failure.state() == State.WAITING && first != null ? first : failure;
        advice.next(next, next.event().equals(failure.event()));
    }

    /** A discarded event is noted as a processed one is; only the audit knows better. */
    private static boolean isDiscarded(UUID event, AtConsumer one, Handling handling) {
        String its = event + " of " + one.consumer() + ",";
        return one.notedAt() != null
                && handling.audit() != null
                && handling.audit().stream()
                        .anyMatch(entry -> entry.action().equals(DISCARDED) && (entry.what() + ",").contains(its));
    }

    void add(ArrayNode json, UUID event, Handling handling) {
        for (AtConsumer one : handling.consumers()) {
            ObjectNode entry = json.addObject();
            entry.put("consumer", one.consumer());
            entry.put("state", state(event, one, handling));
            entry.put("noted_at", FailureView.text(one.notedAt()));
            add(entry, "failure", one.failure());
            add(entry, "first_of_aggregate", one.first());
        }
    }

    private static String state(UUID event, AtConsumer one, Handling handling) {
        if (one.failure() != null) {
            return one.failure().state().toString();
        }
        return isDiscarded(event, one, handling) ? "discarded" : one.notedAt() != null ? "processed" : "unknown";
    }

    private static void add(ObjectNode json, String name, @Nullable Failure failure) {
        if (failure == null) {
            json.putNull(name);
        } else {
            FailureView.add(json.putObject(name), failure);
        }
    }

    /** {@return the events of one aggregate that consumers gave up, and what the first of each waits for} */
    String ofAggregate(String aggregate, Listing listing) {
        long events =
                listing.counts().values().stream().mapToLong(Long::longValue).sum();
        Words.Table table = new Words.Table("consumer", "state", "for", "event", "type", "reason");
        listing.failures()
                .forEach(failure -> table.row(
                        FailureView.consumer(failure).orElse("-"),
                        failure.state().toString(),
                        Words.duration(FailureView.age(failure)),
                        failure.event().toString(),
                        Words.plain(failure.place().eventType()),
                        failure.reason() == null ? "-" : Words.plain(failure.reason())));
        String more = listing.failures().size() < events
                ? "%s more not listed.\n"
                        .formatted(Words.number(events - listing.failures().size()))
                : "";
        return "Consumers have %s of %s, each in this order:\n"
                        .formatted(Words.count(events, "unprocessed event"), aggregate)
                + table.toString().indent(2)
                + more
                + firsts(listing).stream().map(this::next).collect(Collectors.joining());
    }

    private static List<Failure> firsts(Listing listing) {
        return listing.failures().stream()
                .filter(failure -> failure.before() == 0)
                .toList();
    }

    private String next(Failure first) {
        String consumer = FailureView.consumer(first).orElse("");
        Advice advice = Advice.ofConsumer(database, consumer);
        advice.say("Consumer " + consumer + ":");
        advice.next(first, false);
        return advice.text();
    }
}
