package io.outboxrelay.samples.storefront;

/** There is no event about it yet. One may be on its way. */
final class NoEventYet extends RuntimeException {

    NoEventYet(String what, String id) {
        super("There is no event about the %s %s yet. If it is new, try again in a moment".formatted(what, id));
    }
}
