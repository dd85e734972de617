package io.outboxrelay.bench;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.TestDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * An instance of the consumer in a chaos run: an {@link IdempotentConsumer} of a partitioned queue in a process of its
 * own, whose handler inserts a row for each event. SIGTERM ends it in order. Like the relays, it is as impatient as it
 * may be.
 *
 * @param name of the instance
 * @param database with the inbox and the effects
 * @param amqpUri the broker
 */
record ChaosConsumer(String name, TestDatabase database, String amqpUri) implements ProcessVictim.Program {

    /** The name under which the inbox remembers events, and that of the queue. */
    static final String CONSUMER = "billing";

    private static final ConsumerQueue QUEUE =
            ConsumerQueue.named(CONSUMER).boundTo(ChaosQueues.ACCEPTED, "#").partitions(8);

    private static final String JDBC_URL = "OUTBOX_BENCH_JDBC_URL";
    private static final String USER = "OUTBOX_BENCH_USER";
    private static final String PASSWORD = "OUTBOX_BENCH_PASSWORD";
    private static final String AMQP_URI = "OUTBOX_BENCH_URI";

    /** The broker takes it for dead after two of them; a frozen process is noticed by nothing else. */
    private static final int HEARTBEAT_SECONDS = 1;

    /** How long its partitions stay with an instance that is dead or frozen; the client has no setting for it. */
    @Override
    public Duration lease() {
        return Duration.ofSeconds(5);
    }

    @Override
    public JavaProcess start(WrongClock.Offset clock, Path log) throws IOException {
        Map<String, String> environment = clock.added(Map.of(
                JDBC_URL,
                database.jdbcUrl(),
                USER,
                database.user(),
                PASSWORD,
                database.password(),
                AMQP_URI,
                amqpUri,
                "JDK_JAVA_OPTIONS",
                RelayFile.SHORT_LIVED));
        return JavaProcess.startClass(ChaosConsumer.class, List.of(name), environment, log);
    }

    /**
     * Consumes until the process ends.
     *
     * @param arguments the name of the instance
     */
    public static void main(String[] arguments) throws Exception {
        Map<String, String> environment = System.getenv();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(environment.get(JDBC_URL));
        config.setUsername(environment.get(USER));
        config.setPassword(environment.get(PASSWORD));
        config.setMaximumPoolSize(4);
        config.setConnectionTimeout(2_000);
        config.setInitializationFailTimeout(-1);
        HikariDataSource database = new HikariDataSource(config);
        ConnectionFactory broker = new ConnectionFactory();
        broker.setUri(environment.get(AMQP_URI));
        broker.setConnectionTimeout(2_000);
        broker.setRequestedHeartbeat(HEARTBEAT_SECONDS);
        ChaosEffects effects = new ChaosEffects(database);
        IdempotentConsumer consumer = IdempotentConsumer.builder(
                        broker, new Inbox(database, new JdbcTransactionManager(database)))
                .name(CONSUMER)
                .queue(QUEUE)
                .concurrency(2)
                .batch(20)
                .backoff(Duration.ofMillis(200), Duration.ofSeconds(2))
                .patience(Duration.ofSeconds(3))
                .stopTimeout(Duration.ofSeconds(5))
                .handler(event -> effects.add(event, arguments[0]))
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(consumer::close));
        consumer.start();
    }
}
