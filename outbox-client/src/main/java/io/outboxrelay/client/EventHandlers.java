package io.outboxrelay.client;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One handler for each type of event on a queue. Immutable: every method returns a changed one. Safe for use by many
 * threads if the handlers are.
 *
 * <pre>{@code
 * EventHandlers.reading(json)
 *         .on("OrderPlaced", OrderPlaced.class, (placed, event) -> invoices.add(placed))
 *         .on("OrderCancelled", OrderCancelled.class, (cancelled, event) -> invoices.cancel(event.aggregateId()))
 * }</pre>
 *
 * <p>An event of a type without a handler is rejected: it is given up at once, and only the later events of its
 * aggregate wait for a person. Such an event means that the queue's bindings and its handlers do not match, and
 * ignoring it would lose it: the inbox would note it as processed, so a handler that is added later would never see it.
 * If a queue is bound to more types than are of interest on purpose, say so with {@link #ignoringOthers}.
 */
public final class EventHandlers implements EventHandler {

    private final PayloadReader reader;
    private final Map<String, EventHandler> handlers;
    private final boolean ignoresOthers;

    private EventHandlers(PayloadReader reader, Map<String, EventHandler> handlers, boolean ignoresOthers) {
        this.reader = reader;
        this.handlers = handlers;
        this.ignoresOthers = ignoresOthers;
    }

    /**
     * No handler yet.
     *
     * @param reader reads the payloads: {@link JsonEvents} or {@link AvroEvents}
     * @return to be continued with {@link #on}
     */
    public static EventHandlers reading(PayloadReader reader) {
        return new EventHandlers(reader, Map.of(), false);
    }

    /**
     * Handles one more type, its payload read into an object. A payload that cannot be read is rejected.
     *
     * @param eventType exactly as it was published
     * @param payloadType what to read the payload into
     * @param handler called in the inbox's transaction
     * @return the changed handlers
     * @param <T> what to read the payload into
     * @throws IllegalArgumentException if the type has a handler already
     */
    public <T> EventHandlers on(String eventType, Class<T> payloadType, PayloadHandler<? super T> handler) {
        return on(eventType, event -> handler.handle(reader.read(event, payloadType), event));
    }

    /**
     * Handles one more type without reading its payload.
     *
     * @param eventType exactly as it was published
     * @param handler called in the inbox's transaction
     * @return the changed handlers
     * @throws IllegalArgumentException if the type has a handler already
     */
    public EventHandlers on(String eventType, EventHandler handler) {
        Map<String, EventHandler> more = new TreeMap<>(handlers);
        if (more.put(eventType, handler) != null) {
            throw new IllegalArgumentException("The event type " + eventType + " has two handlers");
        }
        return new EventHandlers(reader, Collections.unmodifiableMap(more), ignoresOthers);
    }

    /**
     * Skips events of all other types: the inbox notes them, and nothing else happens.
     *
     * @return the changed handlers
     */
    public EventHandlers ignoringOthers() {
        return new EventHandlers(reader, handlers, true);
    }

    /**
     * The types that have a handler, for example to bind a queue to them.
     *
     * @return in alphabetical order
     */
    public Set<String> eventTypes() {
        return handlers.keySet();
    }

    @Override
    public void handle(ReceivedEvent event) throws Exception {
        EventHandler handler = handlers.get(event.type());
        if (handler != null) {
            handler.handle(event);
        } else if (!ignoresOthers) {
            throw new EventRejectedException("There is no handler for events of the type \""
                    + ForeignText.printable(event.type()) + "\", only for " + handlers.keySet()
                    + ". Add one, bind the queue to these types only, or call ignoringOthers()");
        }
    }
}
