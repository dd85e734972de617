package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SpansTest {

    private static final String QUEUE = "billing.orders";

    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(exported))
                    .build())
            .build();
    private final Tracer tracer = sdk.getTracer("test");
    private final TraceHeaders trace = TraceHeaders.ofClassPath(SpansTest.class.getClassLoader());
    private final Spans spans = OpenTelemetrySpans.of(sdk);

    @BeforeEach
    @AfterEach
    void forget_the_global_one() {
        GlobalOpenTelemetry.resetForTest();
    }

    @Test
    void the_span_of_a_handling_is_a_child_of_the_writer_s_and_names_queue_event_and_consumer() {
        Span writer = tracer.spanBuilder("POST /orders").startSpan();
        ReceivedEvent event = writtenIn(writer);

        Spans.Handling handling = spans.handling(event, "billing", QUEUE);
        tracer.spanBuilder("INSERT invoice").startSpan().end();
        handling.close();

        SpanData handled = span("process billing.orders");
        assertThat(handled.getKind()).isEqualTo(SpanKind.CONSUMER);
        assertThat(handled.getTraceId()).isEqualTo(writer.getSpanContext().getTraceId());
        assertThat(handled.getParentSpanId()).isEqualTo(writer.getSpanContext().getSpanId());
        assertThat(linksOf(handled)).containsExactly(writer.getSpanContext().getSpanId());
        assertThat(handled.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attributes(handled))
                .containsOnly(
                        Map.entry("messaging.system", "rabbitmq"),
                        Map.entry("messaging.operation.name", "process"),
                        Map.entry("messaging.operation.type", "process"),
                        Map.entry("messaging.destination.name", QUEUE),
                        Map.entry("messaging.consumer.group.name", "billing"),
                        Map.entry("messaging.message.id", event.id().toString()),
                        Map.entry("outbox.event.type", "OrderPlaced"),
                        Map.entry("outbox.aggregate.type", "Order"),
                        Map.entry("outbox.aggregate.id", "4711"));
        assertThat(span("INSERT invoice").getParentSpanId()).isEqualTo(handled.getSpanId());
        assertThat(Span.current().getSpanContext().isValid()).isFalse();
    }

    @Test
    void an_event_that_was_written_without_a_trace_begins_one() {
        spans.handling(event(Map.of()), "billing", QUEUE).close();
        spans.handling(event(Map.of("traceparent", "garbage")), "billing", QUEUE)
                .close();

        assertThat(handled())
                .hasSize(2)
                .allMatch(span -> !span.getParentSpanContext().isValid())
                .allMatch(span -> span.getLinks().isEmpty());
    }

    @Test
    @SuppressWarnings("try") // The span around is only there.
    void a_span_around_the_consumer_is_linked_or_the_parent_if_the_event_has_none() {
        Span writer = tracer.spanBuilder("POST /orders").startSpan();
        Span around = tracer.spanBuilder("around").startSpan();

        try (Scope scope = around.makeCurrent()) {
            spans.handling(writtenIn(writer), "billing", QUEUE).close();
            spans.handling(event(Map.of()), "billing", QUEUE).close();
        }

        List<SpanData> handled = handled();
        assertThat(handled.get(0).getParentSpanId())
                .isEqualTo(writer.getSpanContext().getSpanId());
        assertThat(linksOf(handled.get(0)))
                .containsExactly(
                        writer.getSpanContext().getSpanId(),
                        around.getSpanContext().getSpanId());
        assertThat(handled.get(1).getParentSpanId())
                .isEqualTo(around.getSpanContext().getSpanId());
    }

    @Test
    void a_failed_handler_makes_its_span_an_error_with_its_type() {
        Spans.Handling one = spans.handling(event(Map.of()), "billing", QUEUE);
        one.failed(new IllegalStateException("no such customer"));
        one.close();
        Spans.Handling several = spans.handling(List.of(event(Map.of()), event(Map.of())), "billing", QUEUE);
        several.failed(new StackOverflowError());
        several.close();

        List<SpanData> handled = handled();
        assertThat(handled.stream().map(span -> span.getStatus().getStatusCode()))
                .containsExactly(StatusCode.ERROR, StatusCode.ERROR);
        assertThat(handled.get(0).getStatus().getDescription()).isEqualTo("no such customer");
        assertThat(attributes(handled.get(0))).containsEntry("error.type", "java.lang.IllegalStateException");
        assertThat(attributes(handled.get(1))).containsEntry("error.type", "java.lang.StackOverflowError");
    }

    @Test
    void a_batch_has_one_span_that_is_linked_to_every_writer() {
        Span anna = tracer.spanBuilder("POST /orders").startSpan();
        Span bert = tracer.spanBuilder("POST /orders").startSpan();

        spans.handling(List.of(writtenIn(anna), event(Map.of()), writtenIn(bert)), "billing", QUEUE)
                .close();

        SpanData handled = span("process billing.orders");
        assertThat(handled.getKind()).isEqualTo(SpanKind.CONSUMER);
        assertThat(handled.getParentSpanContext().isValid()).isFalse();
        assertThat(linksOf(handled))
                .containsExactly(
                        anna.getSpanContext().getSpanId(), bert.getSpanContext().getSpanId());
        assertThat(handled.getAttributes().get(AttributeKey.longKey("messaging.batch.message_count")))
                .isEqualTo(3);
    }

    @Test
    void a_batch_of_one_is_a_child_of_its_writer() {
        Span writer = tracer.spanBuilder("POST /orders").startSpan();

        spans.handling(List.of(writtenIn(writer)), "billing", QUEUE).close();

        assertThat(span("process billing.orders").getParentSpanId())
                .isEqualTo(writer.getSpanContext().getSpanId());
    }

    @Test
    void without_an_sdk_there_is_no_span_and_one_can_be_set_up_later() {
        Spans global = Spans.ofClassPath(SpansTest.class.getClassLoader());

        assertThat(global.handling(event(Map.of()), "billing", QUEUE)).isSameAs(Spans.NO_SPAN);
        assertThat(global.handling(List.of(event(Map.of())), "billing", QUEUE)).isSameAs(Spans.NO_SPAN);
        assertThat(OpenTelemetrySpans.of(OpenTelemetry.noop()).handling(event(Map.of()), "billing", QUEUE))
                .isSameAs(Spans.NO_SPAN);

        GlobalOpenTelemetry.set(sdk);
        global.handling(event(Map.of()), "billing", QUEUE).close();
        assertThat(handled()).hasSize(1);
    }

    @Test
    void without_the_api_on_the_class_path_there_are_no_spans_and_nothing_breaks() throws Exception {
        List<URL> without = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.contains("opentelemetry")) {
                without.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader classes =
                new URLClassLoader(without.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> there = Class.forName(Spans.class.getName(), true, classes);
            var ofClassPath = there.getDeclaredMethod("ofClassPath", ClassLoader.class);
            var none = there.getDeclaredField("NONE");
            ofClassPath.setAccessible(true);
            none.setAccessible(true);

            assertThat(ofClassPath.invoke(null, classes)).isSameAs(none.get(null));
        }
    }

    private SpanData span(String name) {
        return exported.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private List<SpanData> handled() {
        return exported.getFinishedSpanItems().stream()
                .filter(span -> span.getKind() == SpanKind.CONSUMER)
                .toList();
    }

    private static List<String> linksOf(SpanData span) {
        return span.getLinks().stream()
                .map(LinkData::getSpanContext)
                .map(SpanContext::getSpanId)
                .toList();
    }

    private static Map<String, Object> attributes(SpanData span) {
        Map<String, Object> attributes = new HashMap<>();
        span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), value));
        return attributes;
    }

    /** An event with the headers that the outbox gives it while a span is current. */
    @SuppressWarnings("try") // The span is only there.
    private ReceivedEvent writtenIn(Span writer) {
        try (Scope scope = writer.makeCurrent()) {
            return event(trace.addTo(Map.of("tenant", "north")));
        } finally {
            writer.end();
        }
    }

    private static ReceivedEvent event(Map<String, String> headers) {
        return new ReceivedEvent(
                UUID.randomUUID(), "OrderPlaced", "Order", "4711", new byte[0], "text/plain", headers, null, false);
    }
}
