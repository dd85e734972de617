package io.outboxrelay.testservers;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the first kind of server that works, and logs which one, and why not the others. */
final class Choice {
    private static final Logger LOG = LoggerFactory.getLogger(Choice.class);

    /** One way to get a server. */
    interface Way<T> {
        T start() throws Exception;
    }

    private final String what;
    private final List<ServerKind> order;

    /**
     * @param what the server for people to read, such as {@code "the shared PostgreSQL"}
     * @param order the kinds to try, the best first
     */
    Choice(String what, List<ServerKind> order) {
        this.what = what;
        this.order = List.copyOf(order);
    }

    /**
     * Tries the kinds in their order.
     *
     * @param ways one for each kind; the servers say what they are by their {@code toString}
     * @return the first that started
     * @throws IllegalStateException when none did, with each one's reason
     */
    <T> T take(Map<ServerKind, Way<T>> ways) {
        Loop.requireServers();
        Map<ServerKind, Exception> failures = new LinkedHashMap<>();
        for (ServerKind kind : order) {
            try {
                T server = Objects.requireNonNull(ways.get(kind)).start();
                LOG.info("{} is {}{}", what, server, because(failures));
                return server;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("Interrupted while starting %s (%s)".formatted(what, kind.word()), e);
            } catch (Exception e) {
                failures.put(kind, e);
            }
        }
        throw refusal(failures);
    }

    private String because(Map<ServerKind, Exception> failures) {
        if (order.size() == 1) {
            return ", as -D%s=%s (or %s) demands"
                    .formatted(ServerKind.PROPERTY, order.get(0).word(), ServerKind.ENVIRONMENT);
        }
        return failures.entrySet().stream()
                .map(failure -> ", not " + failure.getKey().word() + ": "
                        + failure.getValue().getMessage())
                .collect(Collectors.joining());
    }

    private IllegalStateException refusal(Map<ServerKind, Exception> failures) {
        String reasons = failures.entrySet().stream()
                .map(failure -> "%n  - %s: %s"
                        .formatted(failure.getKey().word(), failure.getValue().getMessage()))
                .collect(Collectors.joining());
        IllegalStateException refusal = new IllegalStateException(("NO SERVER: %s could not be started. Tried:%s%n"
                        + "Start a container engine, or install PostgreSQL 14 to 18, MariaDB 10.6 to 11, MySQL 8 to 9"
                        + " and RabbitMQ 3.10 or later,"
                        + " or unset -D%s and %s so that every kind is tried.")
                .formatted(what, reasons, ServerKind.PROPERTY, ServerKind.ENVIRONMENT));
        failures.values().forEach(refusal::addSuppressed);
        return refusal;
    }
}
