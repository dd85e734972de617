package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.Yaml;

/** What compose.yaml starts, as far as it can be checked without a container engine. */
class ComposeFileTest {

    private static final Path FOLDER = Path.of("..");
    private static final Path MONITORING = FOLDER.resolve("compose/monitoring");

    @TempDir
    private Path folder;

    @Test
    void two_relays_and_the_migration_are_told_the_same() throws IOException {
        Map<?, ?> services = section(compose(), "services");
        assertThat(services.keySet())
                .map(Object::toString)
                .contains("postgres", "rabbitmq", "migrate", "relay-1", "relay-2");

        Map<?, ?> environment = section(section(services, "relay-1"), "environment");

        assertThat(section(section(services, "relay-2"), "environment")).isEqualTo(environment);
        assertThat(section(section(services, "migrate"), "environment")).isEqualTo(environment);
    }

    @Test
    void the_relays_environment_is_a_configuration() throws IOException {
        Map<?, ?> compose = compose();
        Map<String, String> environment = new LinkedHashMap<>();
        section(section(section(compose, "services"), "relay-1"), "environment")
                .forEach((name, value) -> environment.put(name.toString(), value.toString()));
        String secret = section(section(compose, "secrets"), "relay-password")
                .get("file")
                .toString();
        environment.replace(
                "OUTBOX_RELAY_SOURCES_SHOP_PASSWORD_FILE",
                FOLDER.resolve(secret).toString());

        assertThat(new ConfigurationReader(null, List.of(), environment)
                        .configuration()
                        .sources())
                .singleElement()
                .satisfies(source -> assertThat(source.password()).isNotBlank());
    }

    @Test
    void every_file_that_is_mounted_is_there_and_only_monitoring_needs_a_profile() throws IOException {
        section(compose(), "services").forEach((name, service) -> {
            Map<?, ?> its = (Map<?, ?>) service;
            assertThat(its.get("profiles"))
                    .as("%s", name)
                    .isEqualTo(Set.of("prometheus", "grafana").contains(name) ? List.of("monitoring") : null);
            if (its.get("volumes") instanceof List<?> volumes) {
                assertThat(volumes)
                        .allSatisfy(volume -> assertThat(
                                        FOLDER.resolve(volume.toString().split(":")[0]))
                                .isRegularFile());
            }
        });
    }

    @Test
    void the_broker_starts_with_the_relays_user_and_a_queue_for_every_event() throws Exception {
        JsonNode definitions = json(FOLDER.resolve("compose/rabbitmq-definitions.json"));
        byte[] hash = Base64.getDecoder()
                .decode(definitions.at("/users/0/password_hash").asText());
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(hash, 0, 4);

        assertThat(definitions.at("/users/0/name").asText()).isEqualTo("shop");
        assertThat(sha256.digest("shop".getBytes(StandardCharsets.UTF_8)))
                .as("of the password, after four bytes of salt")
                .isEqualTo(Arrays.copyOfRange(hash, 4, hash.length));
        assertThat(definitions.at("/exchanges/0/name").asText()).isEqualTo("events");
        assertThat(definitions.at("/bindings/0/source").asText()).isEqualTo("events");
        assertThat(definitions.at("/bindings/0/routing_key").asText()).isEqualTo("#");
        assertThat(definitions.at("/bindings/0/destination").asText())
                .isEqualTo(definitions.at("/queues/0/name").asText());
    }

    @Test
    void alerts_and_dashboard_ask_for_metrics_that_the_relay_has() throws IOException {
        String metrics = Files.readString(FOLDER.resolve("docs/metrics.md"));
        String alerts = Files.readString(MONITORING.resolve("alerts.yaml"));
        JsonNode dashboard = json(MONITORING.resolve("outbox-relay.json"));

        assertThat((Map<?, ?>) new Yaml().load(alerts)).hasSize(1);
        for (String file : List.of("prometheus.yaml", "grafana-datasource.yaml", "grafana-dashboards.yaml")) {
            assertThat((Map<?, ?>) new Yaml().load(Files.readString(MONITORING.resolve(file))))
                    .isNotEmpty();
        }
        Set<String> used = new TreeSet<>(names(alerts));
        dashboard.findValuesAsText("expr").forEach(expression -> used.addAll(names(expression)));
        assertThat(used)
                .hasSizeGreaterThan(10)
                .allSatisfy(name -> assertThat(metrics).contains("`" + name + "` | "));
    }

    /** Of a histogram or summary, the name without the suffix of its parts. */
    private static Set<String> names(String expression) {
        return Pattern.compile("outbox_relay_[a-z_]+")
                .matcher(expression)
                .results()
                .map(MatchResult::group)
                .map(name -> name.replaceFirst("_(bucket|sum|count)$", ""))
                .collect(Collectors.toSet());
    }

    /** With a stub in the place of Java, which reports that it was started. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | {\"status\":\"ready\",\"sources\":[]} | 0 | {\"status\":\"ready\",\"sources\":[]}",
                "503 | {\"status\":\"not ready\"}            | 1 | {\"status\":\"not ready\"}",
                "200 | something else                        | 7 | java health",
            })
    void the_image_asks_a_relay_for_its_health_and_starts_java_only_if_none_answers(
            int code, String body, int status, String output) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/health/ready", exchange -> {
            exchange.sendResponseHeaders(code, body.length());
            exchange.getResponseBody().write(body.getBytes(StandardCharsets.UTF_8));
            exchange.close();
        });
        server.start();
        try {
            assertThat(script(server.getAddress().getPort(), "health")).isEqualTo(status + " " + output);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void the_image_passes_every_other_command_to_java() throws Exception {
        assertThat(script(1, "health")).isEqualTo("7 java health");
        assertThat(script(1, "failures", "list", "--limit", "a b")).isEqualTo("7 java failures list --limit a b");
        assertThat(script(1, "run")).isEqualTo("7 java run");
    }

    @Test
    void the_heap_of_the_image_is_bounded_and_the_last_options_are_the_user_s() throws Exception {
        assertThat(script("echo \"$*\"", Map.of("OUTBOX_RELAY_JAVA_OPTIONS", "-Xmx1g -Dmine=1"), "run"))
                .contains("-Xms16m -XX:MaxRAMPercentage=50 ")
                .contains(" -Xmx1g -Dmine=1 -jar");
        assertThat(script("env", Map.of("OUTBOX_RELAY_JAVA_OPTIONS", "-Xmx1g"), "run"))
                .as("the relay would refuse a variable that is none of its keys")
                .doesNotContain("JAVA_OPTIONS");
        assertThat(script("echo \"$*\"", Map.of("OUTBOX_RELAY_JAVA_OPTIONS", "-Xmx1g"), "failures", "list"))
                .contains("-Xmx128m")
                .doesNotContain("-Xmx1g");
    }

    private String script(int port, String... arguments) throws Exception {
        String java = """
                while [ "$1" != -jar ]; do shift; done
                shift 2
                echo "java $*"
                exit 7
                """;
        return script(java, Map.of("OUTBOX_RELAY_HTTP_PORT", String.valueOf(port)), arguments);
    }

    private String script(String program, Map<String, String> environment, String... arguments) throws Exception {
        Path java = Files.writeString(folder.resolve("java"), "#!/bin/sh\n" + program);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        ProcessBuilder builder = new ProcessBuilder("sh", "outbox-relay.sh");
        builder.command().addAll(List.of(arguments));
        builder.environment().put("PATH", folder + ":" + System.getenv("PATH"));
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + " " + output.strip();
    }

    private static JsonNode json(Path file) throws IOException {
        return new ObjectMapper().readTree(file.toFile());
    }

    private static Map<?, ?> compose() throws IOException {
        return (Map<?, ?>) new Yaml().load(Files.readString(FOLDER.resolve("compose.yaml")));
    }

    private static Map<?, ?> section(Map<?, ?> of, String name) {
        assertThat(of.get(name)).as(name).isInstanceOf(Map.class);
        return (Map<?, ?>) of.get(name);
    }
}
