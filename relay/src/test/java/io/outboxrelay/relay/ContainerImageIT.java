package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The image, built and run by the container engine of this machine, between a PostgreSQL and a RabbitMQ container.
 * Skipped where no engine answers or one of the images is not there.
 */
@Tag("full")
class ContainerImageIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final List<String> IMAGES =
            List.of("eclipse-temurin:25-jre", "postgres:15-alpine", "rabbitmq:3-management-alpine");

    private final String name = "outbox-it-" + UUID.randomUUID().toString().substring(0, 8);
    private final String image = name + ":test";

    @BeforeEach
    void an_engine_answers_and_has_the_images() throws Exception {
        assumeTrue(Files.exists(Path.of("target/outbox-relay.jar")), "the relay is not packaged");
        for (String needed : IMAGES) {
            assumeTrue(run("image", "inspect", needed).status() == 0, needed + " is not on this machine's engine");
        }
    }

    @AfterEach
    void remove() throws Exception {
        run("rm", "-f", "-v", name + "-relay", name + "-postgres", name + "-rabbitmq");
        run("network", "rm", name);
        run("image", "rm", "-f", image);
    }

    @Test // hazard 25
    void events_flow_through_the_image_and_sigterm_ends_it_with_0() throws Exception {
        docker("build", "-q", "-t", image, "..");
        docker("network", "create", name);
        docker(
                "run",
                "-d",
                "--name",
                name + "-postgres",
                "--network",
                name,
                "-e",
                "POSTGRES_PASSWORD=secret",
                "postgres:15-alpine");
        docker(
                "run",
                "-d",
                "--name",
                name + "-rabbitmq",
                "--network",
                name,
                "-e",
                "RABBITMQ_DEFAULT_USER=shop",
                "-e",
                "RABBITMQ_DEFAULT_PASS=shop",
                "rabbitmq:3-management-alpine");
        await().atMost(PATIENCE)
                .until(() -> succeeds("exec", name + "-postgres", "pg_isready", "-h", "127.0.0.1", "-U", "postgres"));
        await().atMost(PATIENCE)
                .until(() ->
                        succeeds("exec", name + "-rabbitmq", "rabbitmq-diagnostics", "-q", "check_port_connectivity"));

        relay(List.of("--rm"), "migrate");
        relay(List.of("-d", "--name", name + "-relay"), "run");
        await().atMost(PATIENCE)
                .until(() -> docker("inspect", "-f", "{{.State.Health.Status}}", name + "-relay")
                        .equals("healthy"));
        assertThat(docker("exec", name + "-relay", "id", "-u")).isEqualTo("10001");
        assertThat(docker("exec", name + "-relay", "outbox-relay", "status"))
                .startsWith("source shop: nothing undelivered; 1 relay alive, 8 of 8 lanes owned");
        assertThat(docker("exec", name + "-relay", "sh", "-c", "PATH=/usr/bin:/bin /usr/local/bin/outbox-relay health"))
                .as("Java is not on this path")
                .startsWith("{\"status\":\"ready\"");

        broker("declare", "queue", "name=orders", "durable=true");
        broker("declare", "binding", "source=events", "destination=orders", "routing_key=#");
        docker("exec", name + "-postgres", "psql", "-U", "postgres", "-c", """
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                SELECT 'order', number::text, 'placed', '{}', 'application/json' FROM generate_series(1, 100) AS number
                """);
        await().atMost(PATIENCE)
                .until(() -> docker("exec", name + "-rabbitmq", "rabbitmqctl", "-q", "list_queues", "name", "messages")
                        .contains("orders\t100"));

        docker("stop", "-t", "30", name + "-relay");
        assertThat(docker("inspect", "-f", "{{.State.ExitCode}}", name + "-relay"))
                .isEqualTo("0");
    }

    private void relay(List<String> options, String command) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("run", "--network", name));
        arguments.addAll(options);
        for (String variable : List.of(
                "SOURCES_SHOP_URL=jdbc:postgresql://" + name + "-postgres:5432/postgres",
                "SOURCES_SHOP_USER=postgres",
                "SOURCES_SHOP_PASSWORD=secret",
                "BROKER_URI=amqp://shop:shop@" + name + "-rabbitmq:5672/%2f")) {
            arguments.addAll(List.of("-e", "OUTBOX_RELAY_" + variable));
        }
        arguments.addAll(List.of(image, command));
        docker(arguments.toArray(String[]::new));
    }

    private void broker(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("exec", name + "-rabbitmq", "rabbitmqadmin", "-u", "shop", "-p", "shop"));
        command.addAll(List.of(arguments));
        docker(command.toArray(String[]::new));
    }

    private static boolean succeeds(String... arguments) throws Exception {
        return run(arguments).status() == 0;
    }

    private static String docker(String... arguments) throws Exception {
        Ended ended = run(arguments);
        assertThat(ended.status())
                .as("docker %s: %s", String.join(" ", arguments), ended.output())
                .isZero();
        return ended.output().strip();
    }

    private static Ended run(String... arguments) throws InterruptedException, IOException {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return new Ended(127, "there is no docker command");
        }
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    private record Ended(int status, String output) {}
}
