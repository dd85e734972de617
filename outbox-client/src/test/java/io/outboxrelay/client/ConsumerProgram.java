package io.outboxrelay.client;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** An instance of a consumer in a process of its own. It ends in order on SIGTERM. */
final class ConsumerProgram {

    static final int PARTITIONS = 8;

    static final ConsumerQueue QUEUE =
            ConsumerQueue.named("billing.orders").boundTo("events", "order.*").partitions(PARTITIONS);

    /** The broker takes it for dead after two of them; a frozen process is noticed by nothing else. */
    private static final int HEARTBEAT_SECONDS = 2;

    private ConsumerProgram() {}

    /** Starts an instance and does not wait. */
    static JavaProcess start(String name, TestDatabase database, TestVirtualHost host, Path folder) throws IOException {
        Map<String, String> environment = Map.of(
                "CONSUMER_NAME",
                name,
                "CONSUMER_JDBC_URL",
                database.jdbcUrl(),
                "CONSUMER_USER",
                database.user(),
                "CONSUMER_PASSWORD",
                database.password(),
                "CONSUMER_AMQP_URI",
                host.amqpUri(),
                "JDK_JAVA_OPTIONS",
                "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        return JavaProcess.startClass(ConsumerProgram.class, List.of(), environment, folder.resolve(name + ".log"));
    }

    /** Runs an instance until somebody ends it. */
    public static void main(String[] arguments) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(System.getenv("CONSUMER_JDBC_URL"));
        config.setUsername(System.getenv("CONSUMER_USER"));
        config.setPassword(System.getenv("CONSUMER_PASSWORD"));
        config.setConnectionTimeout(2_000);
        config.setInitializationFailTimeout(-1);
        HikariDataSource pool = new HikariDataSource(config);
        ConnectionFactory broker = new ConnectionFactory();
        broker.setUri(System.getenv("CONSUMER_AMQP_URI"));
        broker.setConnectionTimeout(2_000);
        broker.setRequestedHeartbeat(HEARTBEAT_SECONDS);
        OrderedEffects effects = new OrderedEffects(pool);
        String name = System.getenv("CONSUMER_NAME");
        IdempotentConsumer consumer = IdempotentConsumer.builder(
                        broker, new Inbox(pool, new JdbcTransactionManager(pool)))
                .name("billing")
                .queue(QUEUE)
                .concurrency(4)
                .batch(50)
                .handler(event -> effects.add(event, name))
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(consumer::close));
        consumer.start();
    }
}
