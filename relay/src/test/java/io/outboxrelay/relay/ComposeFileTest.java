package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.configuration.ConfigurationReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** The file has to be valid YAML, and its settings for the relay a valid configuration, whatever tool uses it. */
class ComposeFileTest {

    private static final Path FOLDER = Path.of("..");

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

    private static Map<?, ?> compose() throws IOException {
        return (Map<?, ?>) new Yaml().load(Files.readString(FOLDER.resolve("compose.yaml")));
    }

    private static Map<?, ?> section(Map<?, ?> of, String name) {
        assertThat(of.get(name)).as(name).isInstanceOf(Map.class);
        return (Map<?, ?>) of.get(name);
    }
}
