package io.outboxrelay.testservers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports for private servers and programs. They lie below 32768, where Linux begins to take the ports of outgoing
 * connections: a client that tries to reach a killed server would otherwise be given the server's own port one day, and
 * keep it.
 */
public final class FreePorts {
    private static final int FIRST = 15_000;
    private static final int END = 32_000;
    private static final int TRIES = 1_000;

    private FreePorts() {}

    /**
     * A TCP port of the loopback interface that nobody uses at this moment.
     *
     * @return its number
     * @throws IllegalStateException if none is found
     */
    public static int next() {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("No free TCP port between %d and %d in %d tries".formatted(FIRST, END, TRIES));
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
