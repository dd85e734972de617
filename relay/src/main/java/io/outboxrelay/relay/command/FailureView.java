package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Failures.Address;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Place;
import io.outboxrelay.relay.database.Failures.Received;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How one failure is shown: everything except its payload and the values of its headers. */
final class FailureView {

    private FailureView() {}

    static String aggregate(Place place) {
        return place.aggregateType().isEmpty() && place.aggregateId().isEmpty()
                ? "no aggregate"
                : Words.plain(place.aggregateType() + " " + place.aggregateId());
    }

    /** {@return the consumer that gave it up; empty if it could not be published} */
    static Optional<String> consumer(Failure failure) {
        return failure.place() instanceof Received received
                ? Optional.of(Words.plain(received.consumer()))
                : Optional.empty();
    }

    /** Since it first failed; if it has not failed, since it occurred, if that is a readable time. */
    static Duration age(Failure failure) {
        Instant since = failure.firstFailedAt() == null ? failure.content().occurredAt() : failure.firstFailedAt();
        return since == null ? Duration.ZERO : Duration.between(since, failure.readAt());
    }

    static void add(ObjectNode json, Failure failure) {
        json.put("event_id", failure.event().toString());
        add(json, failure.place());
        json.put("payload_bytes", failure.content().payloadBytes());
        json.put("content_type", failure.content().contentType());
        ArrayNode headers = json.putArray("header_names");
        failure.content().headerNames().forEach(headers::add);
        json.put("occurred_at", text(failure.content().occurredAt()));
        json.put("state", failure.state().toString());
        json.put("blocking", failure.blocking());
        json.put("attempts", failure.attempts());
        if (failure.place() instanceof Address) {
            json.put("failures", failure.failures());
        }
        json.put("next_attempt_at", text(failure.nextAttemptAt()));
        json.put("first_failed_at", text(failure.firstFailedAt()));
        json.put("failed_at", text(failure.failedAt()));
        json.put("reason", failure.reason());
        json.put("detail", failure.detail());
        json.put("before", failure.before());
        json.put("behind", failure.behind());
    }

    static void add(ObjectNode json, Place place) {
        json.put("event_type", place.eventType());
        json.put("aggregate_type", place.aggregateType());
        json.put("aggregate_id", place.aggregateId());
        if (place instanceof Address address) {
            json.put("lane", address.lane());
            json.put("position", address.position());
        } else if (place instanceof Received received) {
            json.put("consumer", received.consumer());
            json.put("queue", received.queue());
        }
    }

    static String lines(Failure failure) {
        StringBuilder lines = new StringBuilder();
        add(lines, "event", failure.event());
        add(lines, "type", failure.place().eventType());
        add(lines, "aggregate", aggregate(failure.place()));
        if (failure.place() instanceof Address address) {
            add(lines, "lane", address.lane());
            add(lines, "position", address.position());
        } else if (failure.place() instanceof Received received) {
            add(lines, "consumer", received.consumer());
            add(lines, "queue", received.queue());
        }
        add(lines, "payload", Words.count(failure.content().payloadBytes(), "byte"));
        add(lines, "content type", failure.content().contentType());
        add(lines, "headers", String.join(", ", failure.content().headerNames()));
        add(lines, "occurred at", failure.content().occurredAt());
        add(lines, "state", failure.state());
        add(lines, "blocking", failure.blocking() ? "yes" : "no, its aggregate continues");
        add(lines, "attempts", failure.attempts());
        if (failure.place() instanceof Address) {
            add(lines, "failures", failure.failures() + " in a row");
        }
        add(lines, "next attempt", failure.nextAttemptAt());
        add(lines, "first failed", failure.firstFailedAt());
        add(lines, "last failed", failure.failedAt());
        add(lines, "reason", failure.reason());
        add(lines, "detail", failure.detail());
        add(lines, "ahead of it", Words.count(failure.before(), "event") + " of its aggregate");
        add(lines, "behind it", Words.count(failure.behind(), "event") + " of its aggregate");
        return lines.toString();
    }

    private static void add(StringBuilder lines, String name, @Nullable Object value) {
        lines.append(String.format(
                "%-13s %s%n", name, value == null || value.toString().isEmpty() ? "-" : Words.plain(value.toString())));
    }

    static @Nullable String text(@Nullable Instant time) {
        return time == null ? null : time.toString();
    }
}
