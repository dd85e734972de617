package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class CommandsTest {

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "run",
                "migrate",
                "check-config",
                "status",
                "explain",
                "pause",
                "resume",
                "subscribe",
                "audit",
                "health"
            })
    void every_command_explains_itself_and_says_its_version(String command) {
        assertThat(execute(command, "--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: outbox-relay " + command).contains("--config", "--set");
        assertThat(execute(command, "--version")).isZero();
        assertThat(out.toString()).contains("outbox-relay development, Java " + Runtime.version());
        assertThat(execute(command, "--nonsense")).isEqualTo(2);
    }

    @Test
    void without_a_command_the_commands_are_listed() {
        assertThat(execute()).isEqualTo(2);
        assertThat(err.toString()).contains("Say which command to run.", "check-config");
        assertThat(execute("--help")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "migrate", "check-config", "status", "resume"})
    void a_wrong_configuration_ends_with_2_and_all_faults(String command) {
        environment.put("OUTBOX_RELAY_POLL_MIN", "soon");

        assertThat(execute(command, "--set", "http.port=x")).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("outbox-relay: ")
                .contains("poll.min = \"soon\"", "http.port = \"x\"", "sources (not given) is missing")
                .doesNotContain("\tat ", "\n  at ");
    }

    @Test
    void check_config_prints_what_is_in_effect() {
        configure("jdbc:postgresql://localhost/orders", "u", "hunter2");

        assertThat(execute("check-config")).isZero();
        assertThat(out.toString())
                .contains("- name: orders")
                .contains("password: '***'")
                .doesNotContain("hunter2");
    }

    @Test
    void a_file_that_is_not_yaml_is_one_fault_with_its_place() throws IOException {
        Path file = Files.writeString(folder.resolve("relay.yaml"), "sources:\n  - name: orders\n   url: [\n");

        assertThat(execute("check-config", "--config", file.toString())).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("outbox-relay: 1 fault in the configuration:\n  " + file + " (file) is not valid YAML"
                        + " near line 3,")
                .hasLineCount(2);
    }

    @Test
    @Tag("server")
    void check_config_tries_all_servers_and_reports_what_is_wrong_with_any() {
        try (OutboxDatabase database = OutboxDatabase.withLanes(1);
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            database.loginWithOnly("outbox_relay");
            configure(database.database().jdbcUrl(), database.login(), "secret");
            environment.put("OUTBOX_RELAY_BROKER_URI", broker.amqpUri());

            assertThat(execute("check-config", "--connect")).as(err.toString()).isZero();
            assertThat(out.toString())
                    .contains("# source orders: the user " + database.login() + " can log in and has the privileges of")
                    .contains("# connected to the broker ")
                    .contains("# the exchange 'events' does not exist yet; the relay will declare it");

            environment.put("OUTBOX_RELAY_INBOXES_CRM_URL", database.database().jdbcUrl() + "?ApplicationName=crm");
            environment.put("OUTBOX_RELAY_INBOXES_CRM_USER", database.database().user());
            environment.put(
                    "OUTBOX_RELAY_INBOXES_CRM_PASSWORD", database.database().password());
            assertThat(execute("check-config", "--connect")).as(err.toString()).isZero();
            assertThat(out.toString())
                    .contains("# inbox crm: the user " + database.database().user() + " can log in and may read the");

            environment.put("OUTBOX_RELAY_INBOXES_CRM_USER", database.login());
            environment.put("OUTBOX_RELAY_INBOXES_CRM_PASSWORD", "secret");
            database.giveLogin("outbox_writer", "outbox_relay");
            environment.put("OUTBOX_RELAY_BROKER_TOPOLOGY", "check");
            assertThat(execute("check-config", "--connect")).isEqualTo(1);
            assertThat(err.toString())
                    .contains("outbox-relay: 3 faults found on the servers:\n")
                    .contains("inbox crm: The database user may not do this")
                    .contains("source orders: the user " + database.login() + " lacks the rights ", "DELETE on outbox")
                    .contains("the exchange 'events' does not exist on ");

            configure("jdbc:postgresql://127.0.0.1:1/orders", "u", "hunter2");
            assertThat(execute("check-config", "--connect")).isEqualTo(1);
            assertThat(err.toString())
                    .contains("3 faults", "source orders: The database does not answer", "no connection to the broker")
                    .doesNotContain("hunter2");
            database.dropLogin();
        }
    }

    @Test
    void health_of_no_relay_is_1() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }

        assertThat(execute("health", "--set", "http.port=" + port)).isEqualTo(1);
        assertThat(err.toString()).contains("No relay answers at http://127.0.0.1:" + port + "/health/ready.");
    }

    @Test
    @Tag("server")
    void migrate_installs_into_a_database_of_options_and_again_changes_nothing() throws IOException {
        try (TestDatabase database = Servers.postgres().newDatabase()) {
            Path password = Files.writeString(folder.resolve("password"), database.password() + "\n");
            String[] migrate = {
                "migrate",
                "--url",
                database.jdbcUrl(),
                "--user",
                database.user(),
                "--password-file",
                password.toString(),
                "--schema",
                "events",
                "--lanes",
                "3"
            };

            assertThat(execute(migrate)).as(err.toString()).isZero();
            assertThat(out.toString()).contains("schema events").contains("with 3 lanes, newly installed");
            assertThat(execute(migrate)).isZero();
            assertThat(out.toString()).contains("nothing to do");
        }
    }

    @Test
    @Tag("server")
    void migrate_installs_into_the_configured_sources_and_status_shows_them() {
        try (TestDatabase database = Servers.postgres().newDatabase()) {
            configure(database.jdbcUrl(), database.user(), database.password());

            assertThat(execute("status")).isEqualTo(1);
            assertThat(out.toString()).contains("no outbox in the schema public");
            assertThat(execute("migrate", "--source", "orders")).isZero();
            assertThat(out.toString()).startsWith("source orders: schema public");
            assertThat(execute("status", "--json")).isZero();
            assertThat(out.toString()).startsWith("{").contains("\"backlog_events\" : 0");
        }
    }

    @Test
    void migrate_prints_the_plain_sql_and_asks_no_database() {
        assertThat(execute("migrate", "--print-sql", "--schema", "events")).isZero();
        assertThat(out.toString()).contains("CREATE TABLE events.outbox ").doesNotContain("${");
    }

    @Test
    void migrate_refuses_options_that_do_not_go_together() {
        configure("jdbc:postgresql://localhost/orders", "u", "");

        assertThat(execute("migrate", "--url", "jdbc:postgresql://h/d")).isEqualTo(2);
        assertThat(err.toString()).contains("--url needs --user");
        assertThat(execute("migrate", "--url", "jdbc:oracle://h/d", "--user", "u"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("must begin with jdbc:postgresql:, jdbc:mariadb: or jdbc:mysql:");
        assertThat(execute("migrate", "--source", "stock")).isEqualTo(2);
        assertThat(err.toString()).contains("no source or inbox stock. Configured: orders.");
        assertThat(execute("migrate", "--schema", "events")).isEqualTo(2);
        assertThat(execute("migrate", "--user", "owner")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--user owner needs --password-file", "password of source orders belongs to the user u");
        assertThat(execute("migrate", "--print-sql", "--lanes", "0")).isEqualTo(2);
    }

    @Test
    void a_database_that_refuses_is_1_with_the_reason_and_without_the_password() {
        configure("jdbc:postgresql://127.0.0.1:1/orders", "u", "hunter2");

        assertThat(execute("migrate")).isEqualTo(1);
        assertThat(err.toString()).containsOnlyOnce("127.0.0.1:1").doesNotContain("hunter2");
    }

    @Test
    void a_refusal_is_a_sentence_and_a_fault_of_our_own_shows_its_stack() {
        assertThat(executeFailing(new UnavailableException("There is no outbox.", null)))
                .isEqualTo(1);
        assertThat(err.toString()).isEqualToIgnoringNewLines("outbox-relay: There is no outbox.");

        assertThat(executeFailing(new IllegalStateException("An answer came twice", new ArithmeticException("1 / 0"))))
                .isEqualTo(1);
        assertThat(err.toString())
                .startsWith("outbox-relay: java.lang.IllegalStateException: An answer came twice")
                .contains("because: 1 / 0", "\n  at " + CommandsTest.class.getName());
    }

    private int executeFailing(RuntimeException failure) {
        return execute(Main.commandLine(environment).addSubcommand("fail", new Failing(failure)), "fail");
    }

    @Command
    private record Failing(RuntimeException failure) implements Callable<Integer> {

        @Override
        public Integer call() {
            throw failure;
        }
    }

    private void configure(String url, String user, String password) {
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_URL", url);
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_USER", user);
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", password);
        environment.put("OUTBOX_RELAY_BROKER_URI", "amqp://guest:hunter2@localhost:1");
    }

    private int execute(String... arguments) {
        return execute(Main.commandLine(environment), arguments);
    }

    private int execute(CommandLine commandLine, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }
}
