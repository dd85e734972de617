package io.outboxrelay.client;

import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.util.HashMap;
import java.util.Map;
import org.springframework.util.ClassUtils;

/** Gives an event the trace that it belongs to. OpenTelemetry is optional: without it there is no trace. */
@FunctionalInterface
interface TraceHeaders {

    /** The event's own headers, with those of the current trace unless it has a {@code traceparent} already. */
    Map<String, String> addTo(Map<String, String> headers);

    static TraceHeaders ofClassPath(ClassLoader classes) {
        String propagator = "io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator";
        return ClassUtils.isPresent(propagator, classes) ? new OpenTelemetry() : headers -> headers;
    }

    /** A class of its own, so that nothing of OpenTelemetry is loaded where it is not on the class path. */
    final class OpenTelemetry implements TraceHeaders {

        @Override
        public Map<String, String> addTo(Map<String, String> headers) {
            if (headers.containsKey("traceparent")) {
                return headers;
            }
            Map<String, String> traced = new HashMap<>(headers);
            W3CTraceContextPropagator.getInstance().inject(Context.current(), traced, (carrier, name, value) -> {
                if (carrier != null) {
                    carrier.put(name, value);
                }
            });
            return traced;
        }
    }
}
