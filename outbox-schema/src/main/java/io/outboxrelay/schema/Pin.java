package io.outboxrelay.schema;

/**
 * A setting of a session that decides what a statement means, and the value that our statements rely on.
 *
 * @param ask statement that returns its value
 * @param set statement that gives it the value relied on; looks nothing up that somebody else could have made
 * @param restore statement that gives it the value of its parameter
 */
record Pin(String ask, String set, String restore) {}
