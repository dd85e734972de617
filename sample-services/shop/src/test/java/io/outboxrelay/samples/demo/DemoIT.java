package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as a newcomer runs it, only shorter: with real processes and a relay killed. */
@Tag("full")
class DemoIT {

    private static final Duration LONGEST = Duration.ofMinutes(15);

    @TempDir
    Path folder;

    @Test
    void every_event_arrives_once_and_in_order_although_a_relay_is_killed() throws Exception {
        Path output = folder.resolve("demo.out");
        Map<String, String> options = Map.of(
                "JDK_JAVA_OPTIONS",
                "-Ddemo.seconds=5 -Ddemo.folder=target/demo -Ddemo.relay=../../relay/target/outbox-relay.jar"
                        + " -Ddemo.contracts=../shop-contracts/contracts");

        try (JavaProcess demo = JavaProcess.startClass(Demo.class, List.of(), options, output)) {
            assertThat(demo.waitFor(LONGEST)).as(demo.output()).hasValue(0);
        }

        assertThat(Files.readString(output)).contains("Killed relay-1 with SIGKILL");
        List<String> lines = Files.readAllLines(output);
        assertThat(lines.get(lines.size() - 1))
                .matches("demo passed: written=([1-9]\\d*) published=\\1 handled=\\1 duplicates_dropped=\\d+"
                        + " lost=0 out_of_order=0 broker=\\S+");
    }
}
