package io.outboxrelay.relay.testing;

import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Makes events as a claim would read them. */
public final class Events {

    private static final int MORE_THAN_MAY_BE_PUBLISHED = 20_000_000;

    private final AtomicLong position = new AtomicLong();
    private @Nullable UUID id;
    private int lane;
    private String type = "OrderPlaced";
    private String headers = "{}";
    private String contentType = "application/json";
    private byte @Nullable [] payload = "{\"total\":42}".getBytes(StandardCharsets.UTF_8);
    private Instant occurredAt = Instant.parse("2026-03-04T05:06:07Z");

    /** A maker whose events differ in aggregate and position only. */
    public static Events maker() {
        return new Events();
    }

    /** A policy that retries soon and for long, and parks events after a hundred failures. */
    public static FailurePolicy patientPolicy() {
        return new FailurePolicy(
                100,
                Duration.ZERO,
                false,
                Duration.ofMillis(50),
                Duration.ofSeconds(1),
                ByRoute.always(OnPark.BLOCK),
                ByRoute.always(Unroutable.PARK));
    }

    /** Gives all events that follow the same id. */
    public Events id(UUID value) {
        id = value;
        return this;
    }

    public Events lane(int value) {
        lane = value;
        return this;
    }

    public Events type(String value) {
        type = value;
        return this;
    }

    public Events headers(String json) {
        headers = json;
        return this;
    }

    public Events contentType(String value) {
        contentType = value;
        return this;
    }

    public Events payload(byte[] bytes) {
        payload = bytes;
        return this;
    }

    public Events unreadPayload() {
        payload = null;
        return this;
    }

    public Events occurredAt(Instant value) {
        occurredAt = value;
        return this;
    }

    /** The next event, of an order. */
    public Event of(Object orderId) {
        return of("Order", String.valueOf(orderId));
    }

    public Event of(String aggregateType, String aggregateId) {
        byte[] bytes = payload;
        return new Event(
                lane,
                position.incrementAndGet(),
                id == null ? UUID.randomUUID() : id,
                new Aggregate(aggregateType, aggregateId),
                type,
                bytes == null ? MORE_THAN_MAY_BE_PUBLISHED : bytes.length,
                bytes,
                contentType,
                headers,
                occurredAt,
                null);
    }
}
