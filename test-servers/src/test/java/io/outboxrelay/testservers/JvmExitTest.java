package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Private servers do not outlive the JVM that started them, however it ends. */
@Tag("server")
@Tag("full")
class JvmExitTest {
    private static final Duration START_LIMIT = Duration.ofSeconds(120);
    private static final Duration END_LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @BeforeEach
    void installed_servers_are_here() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "no setpriv");
        AvailableKinds.assumePostgres(ServerKind.INSTALLED);
        AvailableKinds.assumeRabbitMq(ServerKind.INSTALLED);
    }

    @Test
    void when_the_jvm_is_killed_its_servers_die_with_it() throws IOException {
        try (JavaProcess holder = startHolder()) {
            holder.kill();

            assertAllPortsClose(holder);
        }
    }

    @Test
    void when_the_jvm_is_asked_to_stop_its_servers_and_their_files_are_gone() throws Exception {
        try (JavaProcess holder = startHolder()) {
            holder.terminate();

            assertThat(holder.waitFor(END_LIMIT)).hasValue(128 + 15);
            assertAllPortsClose(holder);
            try (Stream<Path> left = Files.list(folder.resolve("temporary"))) {
                assertThat(left.map(path -> path.getFileName().toString()))
                        .filteredOn(name -> name.startsWith("outbox-"))
                        .isEmpty();
            }
        }
    }

    private JavaProcess startHolder() throws IOException {
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        folder.toFile().setExecutable(true, false);
        temporary.toFile().setExecutable(true, false);
        JavaProcess holder = JavaProcess.startClass(
                ServerHolder.class,
                List.of("broker"),
                Map.of("JAVA_TOOL_OPTIONS", "-Doutbox.servers=installed -Djava.io.tmpdir=" + temporary),
                folder.resolve("output"));
        await().atMost(START_LIMIT).until(() -> holder.output().contains("ready") || !holder.isAlive());
        assertThat(holder.output()).contains("ready");
        return holder;
    }

    private static void assertAllPortsClose(JavaProcess holder) {
        List<Integer> ports = Pattern.compile("listening on (\\d+)")
                .matcher(holder.output())
                .results()
                .map((MatchResult match) -> Integer.valueOf(match.group(1)))
                .toList();
        assertThat(ports).hasSize(2);
        await().atMost(END_LIMIT).until(() -> ports.stream().noneMatch(JvmExitTest::isOpen));
    }

    private static boolean isOpen(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
