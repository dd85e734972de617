package io.outboxrelay.testservers;

import java.util.UUID;

/** A running broker. Any thread may call it. */
public final class RabbitMq {
    private final String name;
    private final ServerAddress address;
    private final BrokerControl control;
    private final boolean outlivesUs;

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
     * @return the virtual host; closing it deletes it
     * @throws IllegalStateException when the broker does not answer or refuses
     */
    public TestVirtualHost newVirtualHost() {
        String host = "outbox-test-" + UUID.randomUUID();
        control.createVirtualHost(host);
        TestVirtualHost made = new TestVirtualHost(control, address, host);
        if (outlivesUs) {
            AtExit.close(made);
        }
        return made;
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
