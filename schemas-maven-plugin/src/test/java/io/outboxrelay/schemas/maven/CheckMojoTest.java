package io.outboxrelay.schemas.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import org.junit.jupiter.api.Test;

class CheckMojoTest {

    @Test
    void a_build_that_does_not_say_what_is_released_is_told_that_nothing_protects_it() {
        assertThat(CheckMojo.warning(null, null))
                .hasValueSatisfying(
                        warning -> assertThat(warning).contains("released or releasedRevision", "is not detected"));
    }

    @Test
    void a_build_that_says_it_is_told_nothing() {
        assertThat(CheckMojo.warning(new File("contracts-1.jar"), null)).isEmpty();
        assertThat(CheckMojo.warning(null, "origin/main")).isEmpty();
    }
}
