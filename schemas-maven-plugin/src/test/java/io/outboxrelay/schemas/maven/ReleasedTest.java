package io.outboxrelay.schemas.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import org.junit.jupiter.api.Test;

class ReleasedTest {

    @Test
    void a_build_that_does_not_say_what_is_released_is_told_that_nothing_protects_it() {
        assertThat(new Released(null, null).warning())
                .hasValueSatisfying(
                        warning -> assertThat(warning).contains("released or releasedRevision", "is not noticed"));
    }

    @Test
    void a_build_that_says_it_is_told_nothing() {
        assertThat(new Released(new File("contracts-1.jar"), null).warning()).isEmpty();
        assertThat(new Released(null, "origin/main").warning()).isEmpty();
    }
}
