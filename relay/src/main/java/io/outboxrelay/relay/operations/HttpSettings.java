package io.outboxrelay.relay.operations;

/**
 * Where health and metrics are served, and to whom in detail.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 for any free one
 * @param details who is told why the relay is not ready
 */
public record HttpSettings(String host, int port, Details details) {

    /** Who may read the reasons, which name databases, virtual hosts and errors. Everyone else gets the status alone. */
    public enum Details {
        /** Whoever asks on the relay's own machine, not through a proxy. */
        LOOPBACK,
        /** Whoever reaches the port. */
        EVERYONE
    }
}
