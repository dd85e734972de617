package io.outboxrelay.client;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Spans by OpenTelemetry's API alone. A class of its own, so that nothing of it is loaded where it is not on the class
 * path.
 *
 * <p>Names and attributes follow the semantic conventions for RabbitMQ as of 1.45
 * (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/). The destination is the queue alone: events that
 * were parked have no exchange and routing key any more, and a routing key may contain the id of an aggregate, which
 * has no place in the name of a span.
 */
final class OpenTelemetrySpans implements Spans {

    private static final String SCOPE = "io.outboxrelay.client";
    private static final String PROCESS = "process";

    private static final TextMapGetter<Map<String, String>> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> headers) {
            return headers.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> headers, String name) {
            return headers == null ? null : headers.get(name);
        }
    };

    private final Supplier<OpenTelemetry> source;

    /** As soon as there is an SDK. */
    private volatile @Nullable Tracer tracer;

    private OpenTelemetrySpans(Supplier<OpenTelemetry> source) {
        this.source = source;
    }

    /** Never sets the global one, as {@code get} would: nobody could do so after that. */
    static Spans ofGlobal() {
        return new OpenTelemetrySpans(GlobalOpenTelemetry::getOrNoop);
    }

    /** The spans of a certain OpenTelemetry, such as the bean of an application. */
    static Spans of(OpenTelemetry openTelemetry) {
        return new OpenTelemetrySpans(() -> openTelemetry);
    }

    @Override
    public Handling handling(ReceivedEvent event, String consumer, String queue) {
        Tracer current = tracer();
        if (current == null) {
            return NO_SPAN;
        }
        SpanContext ambient = Span.current().getSpanContext();
        SpanContext writer = contextOf(event);
        SpanBuilder span = span(current, consumer, queue)
                .setAttribute("messaging.message.id", event.id().toString())
                .setAttribute("outbox.event.type", event.type())
                .setAttribute("outbox.aggregate.type", event.aggregateType())
                .setAttribute("outbox.aggregate.id", event.aggregateId());
        if (writer.isValid()) {
            span.setParent(Context.current().with(Span.wrap(writer))).addLink(writer);
            if (ambient.isValid()) {
                span.addLink(ambient);
            }
        }
        return Current.of(span);
    }

    @Override
    public Handling handling(List<ReceivedEvent> events, String consumer, String queue) {
        if (events.size() == 1) {
            return handling(events.get(0), consumer, queue);
        }
        Tracer current = tracer();
        if (current == null) {
            return NO_SPAN;
        }
        SpanBuilder span =
                span(current, consumer, queue).setAttribute("messaging.batch.message_count", (long) events.size());
        events.stream()
                .map(OpenTelemetrySpans::contextOf)
                .filter(SpanContext::isValid)
                .forEach(span::addLink);
        return Current.of(span);
    }

    private @Nullable Tracer tracer() {
        Tracer known = tracer;
        if (known == null) {
            TracerProvider provider = source.get().getTracerProvider();
            if (provider == TracerProvider.noop()) {
                return null;
            }
            known = provider.get(SCOPE);
            tracer = known;
        }
        return known;
    }

    private static SpanBuilder span(Tracer tracer, String consumer, String queue) {
        return tracer.spanBuilder(PROCESS + " " + queue)
                .setSpanKind(SpanKind.CONSUMER)
                .setAttribute("messaging.system", "rabbitmq")
                .setAttribute("messaging.operation.name", PROCESS)
                .setAttribute("messaging.operation.type", PROCESS)
                .setAttribute("messaging.destination.name", queue)
                .setAttribute("messaging.consumer.group.name", consumer);
    }

    /** Of the writer, as {@link TraceHeaders} has written it; invalid if there is none. */
    private static SpanContext contextOf(ReceivedEvent event) {
        Context context = W3CTraceContextPropagator.getInstance().extract(Context.root(), event.headers(), HEADERS);
        return Span.fromContext(context).getSpanContext();
    }

    /** A span that is current until it ends. */
    private record Current(Span span, Scope scope) implements Handling {

        static Current of(SpanBuilder builder) {
            Span span = builder.startSpan();
            return new Current(span, span.makeCurrent());
        }

        @Override
        public void failed(Throwable cause) {
            span.setAttribute("error.type", cause.getClass().getName());
            span.setStatus(StatusCode.ERROR, Objects.requireNonNullElse(cause.getMessage(), ""));
        }

        @Override
        public void close() {
            scope.close();
            span.end();
        }
    }
}
