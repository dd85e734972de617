package io.outboxrelay.client;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.net.SocketFactory;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** One instance of a consumer in this JVM, with connections of its own, which can be cut as a SIGKILL cuts them. */
final class Instance implements AutoCloseable {

    private final String name;
    private final HikariDataSource pool;
    private final Sockets sockets = new Sockets();
    private final IdempotentConsumer consumer;

    /**
     * Starts it.
     *
     * @param effect what its handler does, given the tables that its transaction changes
     */
    Instance(
            String name,
            TestDatabase database,
            TestVirtualHost host,
            ConsumerQueue queue,
            BiConsumer<OrderedEffects, ReceivedEvent> effect) {
        this(name, database, host, queue, effect, builder -> {});
    }

    /** The same with settings of its own. */
    Instance(
            String name,
            TestDatabase database,
            TestVirtualHost host,
            ConsumerQueue queue,
            BiConsumer<OrderedEffects, ReceivedEvent> effect,
            Consumer<IdempotentConsumer.Builder> settings) {
        this.name = name;
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.jdbcUrl());
        config.setUsername(database.user());
        config.setPassword(database.password());
        config.setMaximumPoolSize(4);
        config.setConnectionTimeout(1_000);
        this.pool = new HikariDataSource(config);
        ConnectionFactory broker = host.connectionFactory();
        broker.setSocketFactory(sockets);
        OrderedEffects effects = new OrderedEffects(pool);
        IdempotentConsumer.Builder builder = IdempotentConsumer.builder(
                        broker, new Inbox(pool, new JdbcTransactionManager(pool)))
                .name("billing")
                .queue(queue)
                .concurrency(2)
                .batch(20)
                .backoff(Duration.ofMillis(5), Duration.ofMillis(20))
                .handler(event -> effect.accept(effects, event));
        settings.accept(builder);
        this.consumer = builder.build();
        consumer.start();
    }

    String name() {
        return name;
    }

    IdempotentConsumer consumer() {
        return consumer;
    }

    /** Lets the broker hear nothing of it any more, as of a frozen process, whose transactions stay open. */
    void cutOff() {
        sockets.cut();
    }

    /** Lets neither the broker nor the database hear of it any more. */
    void crash() {
        sockets.cut();
        pool.close();
    }

    /** Stops it in order, unless it has crashed. */
    @Override
    public void close() {
        consumer.close();
        pool.close();
    }

    /** The connections to the broker. */
    private static final class Sockets extends SocketFactory {

        private final List<Socket> open = new CopyOnWriteArrayList<>();
        private volatile boolean cut;

        void cut() {
            cut = true;
            for (Socket socket : open) {
                try {
                    socket.close();
                } catch (IOException e) {
                    throw new IllegalStateException("A socket could not be closed", e);
                }
            }
        }

        @Override
        public Socket createSocket() throws IOException {
            if (cut) {
                throw new IOException("The instance has crashed");
            }
            Socket socket = new Socket();
            open.add(socket);
            return socket;
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }
    }
}
