package io.outboxrelay.relay.operations;

/**
 * Whether one source is being served, and if not, why.
 *
 * @param name the source's name
 * @param ready true when its database and its broker answer; a standby that holds no lane is ready too
 * @param reason one sentence without secrets: what it does when ready, what is missing when not
 */
public record SourceHealth(String name, boolean ready, String reason) {}
