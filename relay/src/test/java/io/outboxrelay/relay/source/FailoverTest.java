package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.relay.testing.Wire;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Two servers behind one name. */
@Tag("server")
class FailoverTest {

    private final Set<String> received = ConcurrentHashMap.newKeySet();

    // hazard 74
    @ParameterizedTest
    @MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
    void when_the_name_moves_after_the_failover_no_connection_to_the_server_that_cannot_write_is_kept(DatabaseKind kind)
            throws Exception {
        try (PrivateServer<?> first = kind.startPrivate();
                PrivateServer<?> second = kind.startPrivate();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Connection consumer = host.connectionFactory().newConnection()) {
            consume(consumer.createChannel());
            // Their servers are removed, and a read-only database cannot be dropped.
            OutboxDatabase old = OutboxDatabase.installedIn(first.newDatabase(), 2);
            TestDatabase anyOfSecond = second.newDatabase();
            old.loginWithOnly("outbox_relay");
            JdbcTemplate promoted = copy(old, anyOfSecond);
            try (Wire name = new Wire(old.database().host(), old.database().port());
                    SourceHarness relay = SourceHarness.start(
                            "orders", behind(name, old), old.login(), "secret", host.amqpUri(), Topology.DECLARE)) {
                old.write("before");
                await().atMost(PATIENCE).until(() -> received.contains("before"));

                demote(old);
                relay.awaitTrouble("the server is read-only");
                promoted.update("INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)"
                        + " VALUES ('Order', 'after', 'OrderPlaced', '{}', 'application/json')");
                name.moveTo(anyOfSecond.host(), anyOfSecond.port());

                await().atMost(PATIENCE).until(() -> received.contains("after"));
                relay.awaitReady();
                await().atMost(PATIENCE)
                        .until(() -> promoted.queryForObject("SELECT count(*) FROM outbox", Integer.class) == 0);
                await("no session of the relay is left")
                        .atMost(PATIENCE)
                        .until(() -> old.number(sessionsOfTheRelay(old)) == 0);
            }
        }
    }

    private static String behind(Wire name, OutboxDatabase old) {
        return old.database().jdbcUrl().replaceFirst("//[^/]*/", "//127.0.0.1:" + name.port() + "/");
    }

    /** A database of the same name, with the same user, on the other server. */
    private static JdbcTemplate copy(OutboxDatabase old, TestDatabase anyOfSecond) {
        String name = old.database().name();
        JdbcTemplate administrator = new JdbcTemplate(anyOfSecond.dataSource());
        administrator.execute("CREATE DATABASE " + name);
        DriverManagerDataSource there = new DriverManagerDataSource(
                anyOfSecond.jdbcUrl().replace("/" + anyOfSecond.name(), "/" + name),
                anyOfSecond.user(),
                anyOfSecond.password());
        OutboxSchema.defaults().withLanes(2).installOn(there);
        List<String> statements = old.isInnoDb()
                ? List.of(
                        "CREATE USER %s IDENTIFIED BY 'secret'",
                        "GRANT " + name + "_outbox_relay TO %s",
                        "SET DEFAULT ROLE " + name + "_outbox_relay "
                                + (old.database().kind() == DatabaseKind.MYSQL ? "TO" : "FOR") + " %s",
                        "GRANT PROCESS ON *.* TO %s")
                : List.of("CREATE ROLE %s LOGIN PASSWORD 'secret'", "GRANT outbox_relay TO %s");
        statements.forEach(statement -> administrator.execute(statement.formatted(old.login())));
        return new JdbcTemplate(there);
    }

    /** For the sessions that there are too. */
    private static void demote(OutboxDatabase old) {
        if (old.isInnoDb()) {
            old.execute("SET GLOBAL read_only = 1");
        } else {
            old.execute("ALTER SYSTEM SET default_transaction_read_only = on");
            old.execute("SELECT pg_reload_conf()");
        }
    }

    private static String sessionsOfTheRelay(OutboxDatabase old) {
        return old.isInnoDb()
                ? "SELECT count(*) FROM information_schema.processlist WHERE user = '" + old.login() + "'"
                : "SELECT count(*) FROM pg_stat_activity WHERE usename = '" + old.login() + "'";
    }

    private void consume(Channel channel) throws Exception {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("all", true, false, false, Map.of());
        channel.queueBind("all", "events", "#");
        channel.basicConsume(
                "all",
                true,
                (tag, message) -> received.add(
                        message.getProperties().getHeaders().get("aggregate_id").toString()),
                tag -> {});
    }
}
