package io.outboxrelay.testservers;

import com.rabbitmq.client.ConnectionFactory;
import java.util.UUID;

/**
 * A virtual host of one test on a broker that others may share. Its user may do everything in it, unless it is
 * {@linkplain #withPermissions restricted}.
 */
public final class TestVirtualHost implements AutoCloseable {
    private final RabbitMq broker;
    private final ServerAddress address;
    private final String name;
    private final Runnable discard;

    /** @param discard what happens when it is closed */
    TestVirtualHost(RabbitMq broker, ServerAddress address, String name, Runnable discard) {
        this.broker = broker;
        this.address = address;
        this.name = name;
        this.discard = discard;
    }

    /**
     * Returns the same virtual host for a new user, whose permissions are limited.
     *
     * @param configure pattern of the names that it may declare and delete
     * @param write pattern of the names that it may publish and bind to
     * @param read pattern of the names that it may consume and bind from
     * @return closing it deletes the user and leaves the virtual host
     */
    public TestVirtualHost withPermissions(String configure, String write, String read) {
        String user = "limited-" + UUID.randomUUID();
        broker.control("eval", """
                ok = rabbit_auth_backend_internal:add_user(<<"%1$s">>, <<"%1$s">>, <<"test-servers">>),
                ok = rabbit_auth_backend_internal:set_permissions(
                    <<"%1$s">>, <<"%2$s">>, <<"%3$s">>, <<"%4$s">>, <<"%5$s">>, <<"test-servers">>).
                """.formatted(
                user, name, withoutBackslashes(configure), withoutBackslashes(write), withoutBackslashes(read)));
        return new TestVirtualHost(
                broker,
                new ServerAddress(host(), port(), user, user),
                name,
                () -> broker.control(
                        "eval",
                        "ok = rabbit_auth_backend_internal:delete_user(<<\"%s\">>, <<\"test-servers\">>)."
                                .formatted(user)));
    }

    /** A backslash would have to be doubled once more on the way into a container. */
    private static String withoutBackslashes(String pattern) {
        return pattern.replace("\\.", "[.]");
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
     * @return a user that may configure, write and read everything here, unless it is restricted
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
        discard.run();
    }
}
