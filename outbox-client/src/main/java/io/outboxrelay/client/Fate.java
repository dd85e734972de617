package io.outboxrelay.client;

/** What a transaction has made of an event. */
enum Fate {
    /** It was new, and its effect has committed. */
    HANDLED,
    /** The inbox knew it. */
    DUPLICATE,
    /** It was new, and is stored behind an earlier event of its aggregate that was given up. */
    WAITING,
    /** It was new, was given up, and is stored. */
    PARKED
}
