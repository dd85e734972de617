package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Failures.Address;
import io.outboxrelay.relay.database.Failures.Failure;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** How one failure is shown: everything except its payload and the values of its headers. */
final class FailureView {

    private FailureView() {}

    static String aggregate(Address address) {
        return Words.plain(address.aggregateType() + " " + address.aggregateId());
    }

    /** Since it first failed; if it has not failed, since it occurred, if that is a readable time. */
    static Duration age(Failure failure) {
        Instant since = failure.firstFailedAt() == null ? failure.content().occurredAt() : failure.firstFailedAt();
        return since == null ? Duration.ZERO : Duration.between(since, failure.readAt());
    }

    static void add(ObjectNode json, Failure failure) {
        json.put("event_id", failure.event().toString());
        add(json, failure.address());
        json.put("payload_bytes", failure.content().payloadBytes());
        json.put("content_type", failure.content().contentType());
        ArrayNode headers = json.putArray("header_names");
        failure.content().headerNames().forEach(headers::add);
        json.put("occurred_at", text(failure.content().occurredAt()));
        json.put("state", failure.state().toString());
        json.put("blocking", failure.blocking());
        json.put("attempts", failure.attempts());
        json.put("failures", failure.failures());
        json.put("next_attempt_at", text(failure.nextAttemptAt()));
        json.put("first_failed_at", text(failure.firstFailedAt()));
        json.put("failed_at", text(failure.failedAt()));
        json.put("reason", failure.reason());
        json.put("detail", failure.detail());
        json.put("before", failure.before());
        json.put("behind", failure.behind());
    }

    static void add(ObjectNode json, Address address) {
        json.put("event_type", address.eventType());
        json.put("aggregate_type", address.aggregateType());
        json.put("aggregate_id", address.aggregateId());
        json.put("lane", address.lane());
        json.put("position", address.position());
    }

    static String lines(Failure failure) {
        StringBuilder lines = new StringBuilder();
        add(lines, "event", failure.event());
        add(lines, "type", failure.address().eventType());
        add(lines, "aggregate", aggregate(failure.address()));
        add(lines, "lane", failure.address().lane());
        add(lines, "position", failure.address().position());
        add(lines, "payload", Words.count(failure.content().payloadBytes(), "byte"));
        add(lines, "content type", failure.content().contentType());
        add(lines, "headers", String.join(", ", failure.content().headerNames()));
        add(lines, "occurred at", failure.content().occurredAt());
        add(lines, "state", failure.state());
        add(lines, "blocking", failure.blocking() ? "yes" : "no, its aggregate continues");
        add(lines, "attempts", failure.attempts());
        add(lines, "failures", failure.failures() + " in a row");
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
