package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaProcessTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    /** Prints its environment and argument, then follows the argument. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) throws InterruptedException {
            System.out.println(System.getenv("GREETING") + " " + arguments[0]);
            if (arguments[0].equals("wait")) {
                Thread.sleep(Long.MAX_VALUE);
            }
            System.exit(3);
        }
    }

    @Test
    void its_output_and_exit_status_are_kept() throws Exception {
        try (JavaProcess process = start("end")) {
            assertThat(process.waitFor(LIMIT)).hasValue(3);
            assertThat(process.output()).contains("hello end");
            assertThat(process.isAlive()).isFalse();
        }
    }

    @Test
    void a_process_can_be_frozen_thawed_and_terminated() throws Exception {
        try (JavaProcess process = start("wait")) {
            await().atMost(LIMIT).until(() -> process.output().contains("hello wait"));
            process.freeze();
            await().atMost(LIMIT).until(() -> state(process).startsWith("T"));
            assertThat(process.isAlive()).isTrue();
            process.thaw();
            await().atMost(LIMIT).until(() -> !state(process).startsWith("T"));
            process.terminate();
            assertThat(process.waitFor(LIMIT)).hasValue(128 + 15);
        }
    }

    @Test
    void a_frozen_process_can_be_killed() throws Exception {
        try (JavaProcess process = start("wait")) {
            process.freeze();
            process.kill();
            assertThat(process.waitFor(Duration.ZERO)).hasValue(128 + 9);
        }
    }

    private JavaProcess start(String argument) throws IOException {
        return JavaProcess.startClass(
                Program.class, List.of(argument), Map.of("GREETING", "hello"), folder.resolve("output"));
    }

    private static String state(JavaProcess process) throws Exception {
        return ChildProcess.run(new ProcessBuilder("ps", "-o", "state=", "-p", Long.toString(process.pid())))
                .output();
    }
}
