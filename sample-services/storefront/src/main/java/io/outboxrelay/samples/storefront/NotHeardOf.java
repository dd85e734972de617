package io.outboxrelay.samples.storefront;

/** No event has told of it. That may change: what happened a moment ago is on its way. */
final class NotHeardOf extends RuntimeException {

    NotHeardOf(String what, String id) {
        super("No event has told of the %s %s yet. If it is new, ask again in a moment".formatted(what, id));
    }
}
