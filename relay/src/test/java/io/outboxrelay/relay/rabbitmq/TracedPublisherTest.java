package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The span of a publication, with the OpenTelemetry SDK and a real broker. */
@Tag("server")
class TracedPublisherTest {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String WRITER = "b7ad6b7169203331";
    private static final String TRACEPARENT = "00-" + TRACE + "-" + WRITER + "-01";
    private static final String HEADERS = "{\"traceparent\": \"" + TRACEPARENT + "\"}";

    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final OpenTelemetry sdk = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(exported))
                    .build())
            .build();
    private TestVirtualHost host;
    private PublisherHarness harness;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        harness = new PublisherHarness(host);
    }

    @AfterEach
    void close() {
        harness.close();
        host.close();
    }

    @Test
    void a_publication_is_a_child_of_the_writer_s_span_and_the_header_stays_as_the_service_wrote_it() throws Exception {
        harness.queue("orders", "order.placed", Map.of());
        Event event = Events.maker().lane(5).headers(HEADERS).of("Order", "4711");

        assertThat(publish(traced(harness.publisher), event)).isInstanceOf(Outcome.Confirmed.class);

        assertThat(harness.receive("orders").getProps().getHeaders().get("traceparent"))
                .hasToString(TRACEPARENT);
        SpanData span = span();
        assertThat(span.getName()).isEqualTo("publish events:{aggregate_type}.{event}");
        assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
        assertThat(span.getTraceId()).isEqualTo(TRACE);
        assertThat(span.getParentSpanId()).isEqualTo(WRITER);
        assertThat(span.getLinks())
                .singleElement()
                .satisfies(link -> assertThat(link.getSpanContext().getSpanId()).isEqualTo(WRITER));
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        Map<String, Object> attributes = new HashMap<>();
        span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), value));
        assertThat(attributes)
                .containsOnly(
                        Map.entry("messaging.system", "rabbitmq"),
                        Map.entry("messaging.operation.name", "publish"),
                        Map.entry("messaging.operation.type", "send"),
                        Map.entry("messaging.destination.name", "events:order.placed"),
                        Map.entry("messaging.destination.template", "events:{aggregate_type}.{event}"),
                        Map.entry("messaging.rabbitmq.destination.routing_key", "order.placed"),
                        Map.entry("messaging.message.id", event.id().toString()),
                        Map.entry("server.address", harness.settings.uri().getHost()),
                        Map.entry("outbox.lane", 5L),
                        Map.entry("outbox.event.type", "OrderPlaced"),
                        Map.entry("outbox.aggregate.type", "Order"),
                        Map.entry("outbox.aggregate.id", "4711"));
    }

    @Test
    void an_event_that_is_not_published_is_an_error_of_the_span_in_the_words_of_the_failure() throws Exception {
        publish(traced(harness.publisher), Events.maker().type("OrderForgotten").of(1));

        SpanData span = span();
        assertThat(span.getParentSpanContext().isValid()).isFalse();
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(span.getStatus().getDescription()).contains("no queue is bound");
        assertThat(span.getAttributes().asMap()).anySatisfy((key, value) -> {
            assertThat(key.getKey()).isEqualTo("error.type");
            assertThat(value).isEqualTo("unroutable");
        });
    }

    @Test
    void while_an_event_is_published_its_span_is_current_and_an_answer_or_the_end_of_the_wait_ends_it()
            throws Exception {
        SilentPublisher silent = new SilentPublisher();
        Publisher traced = traced(silent);
        Event answered = Events.maker().headers(HEADERS).of(1);
        Event forgotten = Events.maker().headers("not JSON").of(2);

        traced.publish(answered);
        traced.publish(forgotten);
        assertThat(exported.getFinishedSpanItems()).isEmpty();
        assertThat(Span.current().getSpanContext().isValid()).isFalse();
        silent.next.add(new Publisher.Answer(answered, new Outcome.Nacked(Reason.NACKED, "the queue is full")));
        traced.answers(Duration.ZERO);
        traced.forget(forgotten);

        List<SpanData> spans = exported.getFinishedSpanItems();
        assertThat(spans.stream().map(SpanData::getSpanId))
                .containsExactlyElementsOf(
                        silent.current.stream().map(SpanContext::getSpanId).toList());
        assertThat(spans.stream().map(span -> span.getStatus().getDescription()))
                .containsExactly("the queue is full", "the broker has not answered in time");
    }

    @Test
    void without_an_sdk_the_publisher_stays_what_it_is() {
        assertThat(TracedPublisher.over(harness.publisher, harness.settings)).isSameAs(harness.publisher);
        assertThat(TracedPublisher.over(harness.publisher, harness.settings, OpenTelemetry.noop()))
                .isSameAs(harness.publisher);
    }

    private Publisher traced(Publisher publisher) {
        return TracedPublisher.over(publisher, harness.settings, sdk);
    }

    private static Outcome publish(Publisher publisher, Event event) {
        publisher.publish(event);
        publisher.flush();
        List<Publisher.Answer> answers = new ArrayList<>();
        await().atMost(PublisherHarness.PATIENCE).until(() -> {
            answers.addAll(publisher.answers(Duration.ofMillis(100)));
            return !answers.isEmpty();
        });
        return answers.get(0).outcome();
    }

    private SpanData span() {
        assertThat(exported.getFinishedSpanItems()).hasSize(1);
        return exported.getFinishedSpanItems().get(0);
    }

    /** Answers what it is told to, and remembers which span was current at each publication. */
    private static final class SilentPublisher implements Publisher {

        private final List<Answer> next = new ArrayList<>();
        private final List<SpanContext> current = new ArrayList<>();

        @Override
        public boolean ready() {
            return true;
        }

        @Override
        public void apart(boolean alone) {
            // there is no connection
        }

        @Override
        public void publish(Event event) {
            current.add(Span.current().getSpanContext());
        }

        @Override
        public void flush() {
            // nothing is buffered
        }

        @Override
        public List<Answer> answers(Duration atMost) {
            return List.copyOf(next);
        }

        @Override
        public void forget(Event event) {
            // nothing is remembered
        }
    }
}
