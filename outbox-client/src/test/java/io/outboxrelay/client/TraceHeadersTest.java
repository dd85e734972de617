package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.outboxrelay.testservers.Servers;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class TraceHeadersTest {

    private static final String TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private static final Span SPAN = Span.wrap(SpanContext.create(
            "0af7651916cd43dd8448eb211c80319c",
            "b7ad6b7169203331",
            TraceFlags.getSampled(),
            TraceState.builder().put("vendor", "x").build()));

    private final TraceHeaders trace = TraceHeaders.ofClassPath(TraceHeaders.class.getClassLoader());

    @Test
    void the_current_trace_is_added_to_the_events_own_headers() {
        Context.current()
                .with(SPAN)
                .wrap((Runnable) () -> {
                    assertThat(trace.addTo(Map.of("tenant", "north")))
                            .containsOnly(
                                    Map.entry("tenant", "north"),
                                    Map.entry("traceparent", TRACEPARENT),
                                    Map.entry("tracestate", "vendor=x"));
                })
                .run();
    }

    @Test
    void a_trace_that_the_event_brings_along_wins() {
        Context.current()
                .with(SPAN)
                .wrap((Runnable) () -> {
                    assertThat(trace.addTo(Map.of("traceparent", "mine")))
                            .containsOnly(Map.entry("traceparent", "mine"));
                })
                .run();
    }

    @Test
    void without_a_trace_nothing_is_added() {
        assertThat(trace.addTo(Map.of())).isEmpty();
    }

    @Test
    void without_opentelemetry_headers_stay_as_they_are() {
        Map<String, String> headers = Map.of("tenant", "north");

        assertThat(TraceHeaders.ofClassPath(ClassLoader.getPlatformClassLoader())
                        .addTo(headers))
                .isSameAs(headers);
    }

    @Test
    void an_event_is_stored_with_the_current_trace() {
        try (ClientDatabase database = new ClientDatabase(Servers.postgres().newDatabase())) {
            Outbox outbox = database.outbox();
            Context.current()
                    .with(SPAN)
                    .wrap((Runnable) () ->
                            database.transaction.execute(status -> outbox.publish(OutboxEvent.eventType("OrderPlaced")
                                    .aggregateType("order")
                                    .aggregateId("1")
                                    .payload(new byte[0], "text/plain"))))
                    .run();

            assertThat(database.jdbc.queryForObject("SELECT headers ->> 'traceparent' FROM outbox", String.class))
                    .isEqualTo(TRACEPARENT);
        }
    }
}
