package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a separate process: its output and its exit status. */
@Tag("server")
class RunCommandTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SECRET = "hunter2";

    private final TestDatabase database = Servers.postgres().newDatabase();
    private final TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
    private final Map<String, String> environment = new HashMap<>(Map.of(
            "OUTBOX_RELAY_HTTP_PORT", "0",
            "OUTBOX_RELAY_SOURCES_ORDERS_URL", database.jdbcUrl(),
            "OUTBOX_RELAY_SOURCES_ORDERS_USER", database.user(),
            "OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", database.password(),
            "OUTBOX_RELAY_BROKER_URI", broker.amqpUri()));

    @TempDir
    private Path folder;

    @AfterEach
    void drop() {
        database.close();
        broker.close();
    }

    @Test // hazard 25
    void sigterm_drains_and_ends_with_0() throws Exception {
        OutboxSchema.install(database.dataSource());
        try (JavaProcess relay = start()) {
            await().atMost(PATIENCE).until(() -> relay.output().contains("started for [orders]"));

            relay.terminate();

            assertThat(relay.waitFor(PATIENCE)).hasValue(0);
            assertThat(relay.output()).contains(" stopped\n").doesNotContain("ERROR");
        }
    }

    @Test
    void a_missing_schema_ends_with_1_and_the_command_that_mends_it() throws Exception {
        try (JavaProcess relay = start()) {
            assertThat(relay.waitFor(PATIENCE)).hasValue(1);
            assertThat(relay.output())
                    .contains("outbox-relay: Source orders: there is no outbox", "migrate")
                    .doesNotContain("\n  at ");
        }
    }

    @Test
    void a_port_that_is_taken_ends_with_1_and_the_key_of_the_configuration() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            environment.put("OUTBOX_RELAY_HTTP_PORT", String.valueOf(taken.getLocalPort()));
            try (JavaProcess relay = start()) {
                assertThat(relay.waitFor(PATIENCE)).hasValue(1);
                assertThat(relay.output())
                        .contains("outbox-relay: Cannot listen on http.host ", "http.port " + taken.getLocalPort())
                        .doesNotContain("\n  at ");
            }
        }
    }

    @Test
    void a_broker_that_refuses_the_password_is_named_and_the_password_is_not() throws Exception {
        OutboxSchema.install(database.dataSource());
        environment.put(
                "OUTBOX_RELAY_BROKER_URI", broker.amqpUri().replaceFirst("//[^@]*@", "//guest:" + SECRET + "@"));
        try (JavaProcess relay = start()) {
            await().atMost(PATIENCE).until(() -> relay.output().contains("ACCESS_REFUSED"));
            relay.terminate();
            relay.waitFor(PATIENCE);
            assertThat(relay.output())
                    .contains(broker.host() + ":" + broker.port())
                    .doesNotContain(SECRET);
        }
    }

    @Test
    void a_database_that_refuses_the_user_is_named_and_the_password_is_not() throws Exception {
        OutboxSchema.install(database.dataSource());
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_USER", "nobody_of_this_name");
        environment.put("OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", SECRET);
        environment.put("OUTBOX_RELAY_LOG_FORMAT", "json");
        try (JavaProcess relay = start()) {
            await().atMost(PATIENCE).until(() -> relay.output().contains("nobody_of_this_name"));
            relay.terminate();
            relay.waitFor(PATIENCE);
            assertThat(relay.output())
                    .contains("\"level\":\"WARN\"")
                    .containsPattern("\"message\":\"Source orders.*\"source\":\"orders\"")
                    .doesNotContain(SECRET);
        }
    }

    private JavaProcess start() throws IOException {
        return JavaProcess.startClass(Main.class, List.of("run"), environment, folder.resolve("output"));
    }
}
