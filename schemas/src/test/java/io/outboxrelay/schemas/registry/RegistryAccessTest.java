package io.outboxrelay.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryAccessTest {

    private static final RegistryAccess UNSAID = new RegistryAccess(null, null, null, null, null);
    private static final String URL = "http://registry:8080/apis/ccompat/v7";

    @TempDir
    private Path folder;

    @Test
    void what_is_not_said_is_in_the_environment() {
        assertThat(UNSAID.registry(Map.of(RegistryAccess.VARIABLES + "URL", URL)))
                .hasToString(URL);
    }

    @Test
    void what_is_said_comes_before_the_environment() {
        assertThat(new RegistryAccess(URL, null, null, null, null)
                        .registry(Map.of(RegistryAccess.VARIABLES + "URL", "http://other")))
                .hasToString(URL);
    }

    @Test
    void a_registry_that_nobody_names_is_asked_for() {
        assertThatThrownBy(() -> UNSAID.registry(Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Say which registry")
                .hasMessageContaining("OUTBOX_RELAY_SCHEMAS_REGISTRY_URL");
    }

    @Test
    void a_file_that_is_not_there_is_named() {
        Path missing = folder.resolve("missing");
        for (RegistryAccess access : new RegistryAccess[] {
            new RegistryAccess(URL, "relay", missing, null, null),
            new RegistryAccess(URL, null, null, missing, null),
            new RegistryAccess(URL, null, null, null, missing)
        }) {
            assertThatThrownBy(() -> access.registry(Map.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(missing.toString());
        }
    }

    @Test
    void a_user_and_a_token_are_one_too_many() {
        Map<String, String> token = Map.of(RegistryAccess.VARIABLES + "TOKEN", "not-to-be-seen");

        assertThatThrownBy(() -> new RegistryAccess(URL, "relay", null, null, null).registry(token))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("choose one of them")
                .hasMessageNotContaining("not-to-be-seen");
    }
}
