package io.outboxrelay.bench;

/**
 * The messages of one run.
 *
 * @param events how many messages
 * @param aggregates how many aggregates take turns in the outbox
 * @param payloadBytes size of each message's body
 */
record Load(long events, int aggregates, int payloadBytes) {}
