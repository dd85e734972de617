package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.springframework.core.SpringVersion;

/** Makes sure that the second run of the tests has the class path that it is there for. */
@EnabledIfSystemProperty(named = "spring.newest.version", matches = ".+")
class NewestSpringTest {

    @Test
    void this_run_is_on_the_newest_spring() {
        assertThat(SpringVersion.getVersion()).isEqualTo(System.getProperty("spring.newest.version"));
    }
}
