package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions whose defaults an administrator has made as unfit for a relay as a server lets him. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class HostileDefaultsTest {

    private static final int EVENTS = 300;

    /** Of the relay's user. */
    private static final Map<String, String> POSTGRESQL = Map.ofEntries(
            Map.entry("search_path", "evil"),
            Map.entry("default_transaction_isolation", "serializable"),
            Map.entry("default_transaction_deferrable", "on"),
            Map.entry("timezone", "Asia/Kathmandu"),
            Map.entry("datestyle", "SQL, DMY"),
            Map.entry("intervalstyle", "sql_standard"),
            Map.entry("bytea_output", "escape"),
            Map.entry("standard_conforming_strings", "off"),
            Map.entry("array_nulls", "off"),
            Map.entry("transform_null_equals", "on"),
            Map.entry("row_security", "on"),
            Map.entry("synchronous_commit", "off"),
            Map.entry("statement_timeout", "500"),
            Map.entry("lock_timeout", "500"),
            Map.entry("idle_in_transaction_session_timeout", "500"),
            Map.entry("idle_session_timeout", "500"),
            Map.entry("enable_indexscan", "off"));

    /** Of the whole server; MariaDB and MySQL have no others. */
    private static final Map<String, String> INNODB = Map.ofEntries(
            Map.entry("autocommit", "0"),
            Map.entry("completion_type", "CHAIN"),
            Map.entry("sql_mode", ""),
            Map.entry("time_zone", "+05:45"),
            Map.entry("sql_select_limit", "1"),
            Map.entry("sql_safe_updates", "1"),
            Map.entry("sql_big_selects", "0"),
            Map.entry("max_join_size", "1"),
            Map.entry("sql_auto_is_null", "1"),
            Map.entry("foreign_key_checks", "0"),
            Map.entry("unique_checks", "0"),
            Map.entry("innodb_lock_wait_timeout", "1"),
            Map.entry("lock_wait_timeout", "1"),
            Map.entry("wait_timeout", "2"));

    private static final Map<String, String> MARIADB = Map.of(
            "tx_isolation", "SERIALIZABLE",
            "max_statement_time", "1.0",
            "idle_transaction_timeout", "1",
            "check_constraint_checks", "0");

    private static final Map<String, String> MYSQL =
            Map.of("transaction_isolation", "SERIALIZABLE", "max_execution_time", "1000");

    @Parameter
    DatabaseKind kind;

    private final List<String> received = new CopyOnWriteArrayList<>();
    private final Map<String, String> before = new TreeMap<>();
    private OutboxDatabase database;
    private DataSource login;
    private TestVirtualHost host;
    private Connection consumer;

    @BeforeEach
    void make_the_defaults_hostile() throws Exception {
        database = OutboxDatabase.withLanes(kind, 2);
        host = Servers.rabbitmq().newVirtualHost();
        consumer = host.connectionFactory().newConnection();
        consume(consumer.createChannel());
        login = database.loginWithOnly("outbox_relay");
        for (int n = 0; n < EVENTS; n++) {
            database.write("ørder-" + n % 30, String.valueOf(n).getBytes(StandardCharsets.UTF_8));
        }
        if (kind == DatabaseKind.POSTGRESQL) {
            POSTGRESQL.forEach((name, value) ->
                    database.execute("ALTER ROLE %s SET %s = '%s'".formatted(database.login(), name, value)));
        } else {
            withoutDefaultRole();
            INNODB.forEach(this::setGlobal);
            (kind == DatabaseKind.MYSQL ? MYSQL : MARIADB).forEach(this::setGlobal);
        }
    }

    /**
     * As when another source's role has taken its place. To enter a database a user needs some right in it all the
     * same.
     */
    private void withoutDefaultRole() {
        database.execute("SET DEFAULT ROLE NONE " + (kind == DatabaseKind.MYSQL ? "TO " : "FOR ") + database.login());
        database.execute("GRANT SELECT ON outbox_schema_version TO " + database.login());
    }

    private void setGlobal(String name, String value) {
        before.put(name, database.value("SELECT @@global." + name));
        database.execute("SET GLOBAL %s = %s".formatted(name, literal(value)));
    }

    private static String literal(String value) {
        return value.matches("[0-9.]+") ? value : "'" + value + "'";
    }

    @AfterEach
    void drop() {
        before.forEach((name, value) -> database.execute("SET GLOBAL %s = %s".formatted(name, literal(value))));
        consumer.abort(2_000);
        host.close();
        database.dropLogin();
        database.close();
    }

    // hazard 94
    @Test
    void nothing_that_a_relay_needs_of_a_session_is_left_to_a_default() {
        try (SourceHarness relay = SourceHarness.start(
                "orders",
                database.database().jdbcUrl(),
                database.login(),
                "secret",
                host.amqpUri(),
                Topology.DECLARE)) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(received).hasSize(EVENTS));
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(database.value("SELECT count(*) FROM outbox"))
                            .isEqualTo("0"));
            assertThat(relay.source.trouble()).isEmpty();
            assertThat(relay.log.complaints("Source orders"))
                    .filteredOn(line -> !line.contains("MySQL does not name statements"))
                    .isEmpty();
        }
        assertThat(received)
                .as("each once: what was published is settled")
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, EVENTS).mapToObj(String::valueOf).toList());
    }

    // hazard 94
    @Test
    void a_person_s_command_leaves_nothing_to_a_default_either() {
        database.giveLogin("outbox_admin", "outbox_relay");
        if (kind.isInnoDb()) {
            withoutDefaultRole();
        }
        Failures failures = database.failures(login);

        assertThat(failures.pause(new Route("Order", "*"), new Note("ann", "a drill")))
                .isTrue();

        assertThat(failures.pauses()).hasSize(1);
        assertThat(database.value("SELECT count(*) FROM outbox_audit")).isEqualTo("1");
    }

    @Test
    void commits_wait_for_the_disk_but_for_those_of_lanes() throws Exception {
        for (Use use : Use.values()) {
            assertThat(variable(use, kind.isInnoDb() ? "@@autocommit" : "current_setting('synchronous_commit')"))
                    .isEqualTo(kind.isInnoDb() ? "1" : use == Use.LANE ? "off" : "on");
        }
    }

    private String variable(Use use, String name) throws SQLException {
        try (java.sql.Connection connection = database.begun(login, use).getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT " + name)) {
            row.next();
            return row.getString(1);
        }
    }

    private void consume(Channel channel) throws Exception {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("all", true, false, false, Map.of());
        channel.queueBind("all", "events", "#");
        channel.basicConsume(
                "all",
                true,
                (tag, message) -> received.add(new String(message.getBody(), StandardCharsets.UTF_8)),
                tag -> {});
    }
}
