package io.outboxrelay.relay.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.lane.Outcome.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps {@code docs/operations.md} complete. */
class OperationsPageTest {

    private static final Path PAGE = Path.of("..", "docs", "operations.md");

    @Test
    void every_reason_is_explained() throws IOException {
        String reasons = Files.readString(PAGE).split("### Why an event failed", 2)[1];

        assertThat(Stream.of(Reason.values()).map(Reason::word))
                .allSatisfy(reason -> assertThat(reasons).containsOnlyOnce("\n| `" + reason + "` | "));
    }
}
