package io.outboxrelay.testservers;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/** A running broker. Any thread may call it. */
public final class RabbitMq {
    private static final int LARGEST_BATCH = 16;

    private final String name;
    private final ServerAddress address;
    private final BrokerControl control;
    private final boolean outlivesUs;
    private final Deque<String> unused = new ArrayDeque<>();
    private final Set<String> inUse = new HashSet<>();
    private final List<String> discarded = new ArrayList<>();
    private int batch = 1;

    /**
     * @param name what kind of broker it is
     * @param address where it is
     * @param control how it is administered
     * @param outlivesUs whether it keeps running after this JVM, so that our databases or hosts have to be removed
     */
    RabbitMq(String name, ServerAddress address, BrokerControl control, boolean outlivesUs) {
        this.name = name;
        this.address = address;
        this.control = control;
        this.outlivesUs = outlivesUs;
    }

    /**
     * What kind of broker this is, for people to read.
     *
     * @return such as {@code rabbitmq-3.10.8}, {@code rabbitmq-container}, {@code embedded-qpid}
     */
    public String name() {
        return name;
    }

    /**
     * Creates an empty virtual host with a unique name.
     *
     * @return the virtual host; closing it gives it back
     * @throws IllegalStateException when the broker does not run or refuses
     */
    public synchronized TestVirtualHost newVirtualHost() {
        if (!control.isRunning()) {
            throw new IllegalStateException("%s is not running".formatted(this));
        }
        if (unused.isEmpty()) {
            createVirtualHosts();
        }
        String name = unused.remove();
        inUse.add(name);
        return new TestVirtualHost(this, address, name, () -> discard(name));
    }

    /** A test that asks for its first needs one; one that asks for many gets them sooner from a larger batch. */
    private void createVirtualHosts() {
        if (outlivesUs && batch == 1) {
            AtExit.close(this::removeVirtualHosts);
        }
        List<String> names = Stream.generate(() -> "outbox-test-" + UUID.randomUUID())
                .limit(batch)
                .toList();
        batch = Math.min(2 * batch, LARGEST_BATCH);
        List<String> old = List.copyOf(discarded);
        discarded.clear();
        discarded.addAll(names); // also if creating them fails half-way
        control.changeVirtualHosts(names, old);
        discarded.removeAll(names);
        unused.addAll(names);
    }

    private synchronized void discard(String name) {
        if (inUse.remove(name)) {
            discarded.add(name);
        }
    }

    /** Deletes all virtual hosts that were created here. */
    synchronized void removeVirtualHosts() {
        discarded.addAll(unused);
        discarded.addAll(inUse);
        unused.clear();
        inUse.clear();
        control.changeVirtualHosts(List.of(), discarded);
        discarded.clear();
    }

    /**
     * Runs a management command on the broker's node, for example {@code control("list_queues", "-p", vhost, "name",
     * "messages", "--silent")}.
     *
     * @param arguments what one would write after {@code rabbitmqctl}
     * @return what the command printed to its standard output
     * @throws IllegalStateException when the command failed, with its output
     * @throws UnsupportedOperationException when the broker is the embedded one, which has no such commands
     */
    public String control(String... arguments) {
        return control.run(arguments);
    }

    @Override
    public String toString() {
        return "%s at %s:%d".formatted(name, address.host(), address.port());
    }
}
