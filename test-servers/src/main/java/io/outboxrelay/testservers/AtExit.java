package io.outboxrelay.testservers;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.LoggerFactory;

/**
 * Closes all open resources when the JVM exits, the newest first. Its list is static because the JVM, whose end it
 * waits for, exists once.
 */
final class AtExit {
    private static final Deque<AutoCloseable> OPEN = new ArrayDeque<>();
    private static boolean hooked;
    private static volatile boolean exiting;

    private AtExit() {}

    /** Whether the JVM has begun to exit, so that waiting for a server is pointless. */
    static boolean exiting() {
        return exiting;
    }

    static void close(AutoCloseable resource) {
        synchronized (OPEN) {
            if (!hooked) {
                Runtime.getRuntime().addShutdownHook(new Thread(AtExit::closeAll, "close-test-servers"));
                hooked = true;
            }
            OPEN.push(resource);
        }
    }

    static void forget(AutoCloseable resource) {
        synchronized (OPEN) {
            OPEN.removeIf(open -> open == resource);
        }
    }

    private static void closeAll() {
        exiting = true;
        List<AutoCloseable> open;
        synchronized (OPEN) {
            open = new ArrayList<>(OPEN);
        }
        for (AutoCloseable resource : open) {
            try {
                resource.close();
            } catch (Exception e) {
                LoggerFactory.getLogger(AtExit.class)
                        .warn("Could not close {} when the JVM exited: {}", resource, e.getMessage());
            }
        }
    }
}
