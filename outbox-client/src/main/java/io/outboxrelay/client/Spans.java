package io.outboxrelay.client;

import java.util.List;
import org.springframework.util.ClassUtils;

/**
 * Gives each call of a handler a span in the trace that the writer of the event began. OpenTelemetry is optional:
 * without it, and as long as no SDK is set up, there are no spans and no cost. Safe for use by many threads.
 */
interface Spans {

    /**
     * Begins the span of one event: a child of the context that travels with the event. It is the calling thread's
     * current span until it is closed.
     *
     * @param event what is handled
     * @param consumer name of the consumer in the inbox
     * @param queue where the event came from
     * @return to be closed by the same thread
     */
    Handling handling(ReceivedEvent event, String consumer, String queue);

    /**
     * Begins the span of several events that are handled together, linked to the contexts of all of them: a span has
     * one parent only. It is the calling thread's current span until it is closed.
     *
     * @param events what is handled together; one alone is handled as such
     * @param consumer name of the consumer in the inbox
     * @param queue where the events came from
     * @return to be closed by the same thread
     */
    Handling handling(List<ReceivedEvent> events, String consumer, String queue);

    /** Events that are being handled. Closing it ends the span. */
    interface Handling extends AutoCloseable {

        /** Notes that the handler has failed. */
        void failed(Throwable cause);

        @Override
        void close();
    }

    /**
     * The spans of the OpenTelemetry that is set up globally, by the Java agent for one. It may be set up later.
     *
     * @param classes whether it has OpenTelemetry's API, 1.58 or newer: an older one cannot be asked whether an SDK is
     *     set up without making it impossible to set one up
     */
    static Spans ofClassPath(ClassLoader classes) {
        String api = "io.opentelemetry.api.GlobalOpenTelemetry";
        boolean usable = ClassUtils.isPresent(api, classes)
                && ClassUtils.hasMethod(ClassUtils.resolveClassName(api, classes), "getOrNoop");
        return usable ? OpenTelemetrySpans.ofGlobal() : NONE;
    }

    /** No span at all. */
    Handling NO_SPAN = new Handling() {
        @Override
        public void failed(Throwable cause) {
            // there is no span
        }

        @Override
        public void close() {
            // there is no span
        }
    };

    /** No spans at all. */
    Spans NONE = new Spans() {
        @Override
        public Handling handling(ReceivedEvent event, String consumer, String queue) {
            return NO_SPAN;
        }

        @Override
        public Handling handling(List<ReceivedEvent> events, String consumer, String queue) {
            return NO_SPAN;
        }
    };
}
