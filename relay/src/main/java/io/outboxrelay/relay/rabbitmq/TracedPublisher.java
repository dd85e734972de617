package io.outboxrelay.relay.rabbitmq;

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
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A lane's publisher that gives each publication a span, from publishing to the broker's answer: a child of the context
 * that the service has written with the event. It exists only if an OpenTelemetry SDK is set up, which the relay does
 * not bring along; the Java agent does. All methods are called by the lane's thread.
 *
 * <p>The headers stay as the service wrote them, so the spans of relay and consumer are siblings, both below the
 * writer's. That is why this span is a client's: a producer's would be the one whose context travels. Names and
 * attributes follow the semantic conventions for RabbitMQ as of 1.45
 * (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/).
 */
public final class TracedPublisher implements Publisher {

    private static final String SCOPE = "io.outboxrelay.relay";
    private static final String PUBLISH = "publish";

    private static final TextMapGetter<Map<String, Object>> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, Object> headers) {
            return headers.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, Object> headers, String name) {
            return headers != null && headers.get(name) instanceof String value ? value : null;
        }
    };

    private final Publisher inner;
    private final BrokerSettings settings;
    private final Tracer tracer;
    private final Template exchange;
    private final Template routingKey;
    private final String destinations;

    /** Of published events that are not answered yet; as many as the lane's window has room for. */
    private final Map<Event, Span> unanswered = new HashMap<>();

    TracedPublisher(Publisher inner, BrokerSettings settings, Tracer tracer) {
        this.inner = inner;
        this.settings = settings;
        this.tracer = tracer;
        this.exchange = Template.of(settings.exchange());
        this.routingKey = Template.of(settings.routingKey());
        this.destinations = destination(settings.exchange(), settings.routingKey());
    }

    /**
     * Puts spans around a publisher, if somebody wants them.
     *
     * @param publisher a lane's publisher
     * @param settings where it publishes
     * @return the same publisher as long as no SDK is set up: then spans cost nothing
     */
    public static Publisher over(Publisher publisher, BrokerSettings settings) {
        return over(publisher, settings, GlobalOpenTelemetry.getOrNoop());
    }

    static Publisher over(Publisher publisher, BrokerSettings settings, OpenTelemetry openTelemetry) {
        TracerProvider provider = openTelemetry.getTracerProvider();
        return provider == TracerProvider.noop()
                ? publisher
                : new TracedPublisher(publisher, settings, provider.get(SCOPE));
    }

    @Override
    public boolean ready() {
        return inner.ready();
    }

    @Override
    public void apart(boolean alone) {
        inner.apart(alone);
    }

    /**
     * While the event is published, its span is current. The agent's own instrumentation of the RabbitMQ client would
     * otherwise begin another trace and replace the service's header by it.
     */
    @Override
    @SuppressWarnings("try") // The scope is only there.
    public void publish(Event event) {
        Span span = span(event);
        unanswered.put(event, span);
        try (Scope current = span.makeCurrent()) {
            inner.publish(event);
        }
    }

    @Override
    public void flush() {
        inner.flush();
    }

    @Override
    public List<Answer> answers(Duration atMost) throws InterruptedException {
        List<Answer> answers = inner.answers(atMost);
        answers.forEach(answer -> end(answer.event(), answer.outcome()));
        return answers;
    }

    @Override
    public void forget(Event event) {
        inner.forget(event);
        end(event, new Outcome.Unconfirmed("the broker has not answered in time"));
    }

    private Span span(Event event) {
        String key = routingKey.of(event);
        SpanBuilder span = tracer.spanBuilder(PUBLISH + " " + destinations)
                .setSpanKind(SpanKind.CLIENT)
                .setAttribute("messaging.system", "rabbitmq")
                .setAttribute("messaging.operation.name", PUBLISH)
                .setAttribute("messaging.operation.type", "send")
                .setAttribute("messaging.destination.name", destination(exchange.of(event), key))
                .setAttribute("messaging.destination.template", destinations)
                .setAttribute("messaging.rabbitmq.destination.routing_key", key)
                .setAttribute("messaging.message.id", event.id().toString())
                .setAttribute("server.address", settings.uri().getHost())
                .setAttribute("outbox.lane", (long) event.lane())
                .setAttribute("outbox.event.type", event.type())
                .setAttribute("outbox.aggregate.type", event.aggregate().type())
                .setAttribute("outbox.aggregate.id", event.aggregate().id());
        SpanContext writer = contextOf(event);
        if (writer.isValid()) {
            span.setParent(Context.current().with(Span.wrap(writer))).addLink(writer);
        }
        return span.startSpan();
    }

    private static String destination(String exchange, String routingKey) {
        return exchange.isEmpty() || routingKey.isEmpty() ? exchange + routingKey : exchange + ":" + routingKey;
    }

    private static SpanContext contextOf(Event event) {
        try {
            Context context = W3CTraceContextPropagator.getInstance()
                    .extract(Context.root(), Headers.read(event.headers()), HEADERS);
            return Span.fromContext(context).getSpanContext();
        } catch (IllegalArgumentException e) {
            return SpanContext.getInvalid(); // The event will be refused for its headers.
        }
    }

    private void end(Event event, Outcome outcome) {
        Span span = unanswered.remove(event);
        if (span == null) {
            return;
        }
        if (outcome instanceof Outcome.NotPublished failure) {
            failed(span, failure.reason().word(), failure.detail());
        } else if (outcome instanceof Outcome.Unconfirmed unknown) {
            failed(span, "unconfirmed", unknown.detail());
        }
        span.end();
    }

    private static void failed(Span span, String type, String detail) {
        span.setAttribute("error.type", type);
        span.setStatus(StatusCode.ERROR, detail);
    }
}
