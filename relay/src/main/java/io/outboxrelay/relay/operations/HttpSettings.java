package io.outboxrelay.relay.operations;

/**
 * Where health and metrics are served.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 for any free one
 */
public record HttpSettings(String host, int port) {}
