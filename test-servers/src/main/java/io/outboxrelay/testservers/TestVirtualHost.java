package io.outboxrelay.testservers;

import com.rabbitmq.client.ConnectionFactory;

/** A virtual host of one test on a broker that others may share. Its user may do everything in it. */
public final class TestVirtualHost implements AutoCloseable {
    private final RabbitMq broker;
    private final ServerAddress address;
    private final String name;

    TestVirtualHost(RabbitMq broker, ServerAddress address, String name) {
        this.broker = broker;
        this.address = address;
        this.name = name;
    }

    /**
     * The virtual host's name, which no other virtual host of the broker has.
     *
     * @return a name that needs no escaping in a URI or on a command line
     */
    public String name() {
        return name;
    }

    /**
     * Where the broker listens.
     *
     * @return a host name or address of this machine
     */
    public String host() {
        return address.host();
    }

    /**
     * Where the broker listens for AMQP; it stays the same over {@link PrivateRabbitMq#kill} and
     * {@link PrivateRabbitMq#start}.
     *
     * @return a TCP port
     */
    public int port() {
        return address.port();
    }

    /**
     * The broker's user.
     *
     * @return a user that may configure, write and read everything here
     */
    public String user() {
        return address.user();
    }

    /**
     * The user's password.
     *
     * @return never empty
     */
    public String password() {
        return address.password();
    }

    /**
     * The address for an AMQP 0-9-1 client, with user and password.
     *
     * @return {@code amqp://user:password@host:port/name}
     */
    public String amqpUri() {
        return "amqp://%s:%s@%s:%d/%s".formatted(user(), password(), host(), port(), name);
    }

    /**
     * Opens connections to the virtual host; the client's automatic recovery is as the client has it by default.
     *
     * @return a new factory, which the caller may change
     */
    public ConnectionFactory connectionFactory() {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost(host());
        factory.setPort(port());
        factory.setUsername(user());
        factory.setPassword(password());
        factory.setVirtualHost(name);
        return factory;
    }

    /**
     * Gives the virtual host back. It is deleted with everything in it when the broker creates or removes others, at
     * the latest when this JVM exits; then the broker closes all connections to it.
     */
    @Override
    public void close() {
        broker.discard(name);
    }
}
