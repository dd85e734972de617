package io.outboxrelay.schemas.maven;

import java.io.File;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Parameters, which Maven sets after construction. */
final class Given {

    private Given() {}

    static Path path(@Nullable File file) {
        return Objects.requireNonNull(file, "Maven sets what is required").toPath();
    }
}
