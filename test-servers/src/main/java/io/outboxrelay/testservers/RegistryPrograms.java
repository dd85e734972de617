package io.outboxrelay.testservers;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Apicurio Registry as this module's build has unpacked it, and the Java that runs it. */
final class RegistryPrograms {
    private static final Duration START_LIMIT = Duration.ofSeconds(120);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);
    private static final List<String> JARS = List.of("quarkus-run.jar", "-runner.jar");
    private static final Path INSTALLED_JAVA = Path.of("/usr/lib/jvm");

    private RegistryPrograms() {}

    /**
     * Starts one.
     *
     * @throws IOException when the registry or a Java for it is missing
     */
    static PrivateRegistry start(RegistryLine line) throws IOException {
        Path jar = jar(line);
        Path java = java(line);
        PrivateFolder folder = PrivateFolder.create("outbox-registry-");
        int port = FreePorts.next();
        URI url = URI.create("http://127.0.0.1:%d/apis/ccompat/v7".formatted(port));
        String what = "Apicurio Registry %s on port %d".formatted(line.folder(), port);
        // Without a delay of writing, so that a killed registry has lost nothing that it confirmed.
        String data = "jdbc:h2:file:" + folder.path().resolve("data") + ";DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0";
        List<String> command = List.of(
                java.toString(),
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=" + port,
                "-Dquarkus.management.host=127.0.0.1",
                "-Dquarkus.management.port=" + FreePorts.next(),
                "-D" + line.dataProperty() + "=" + data,
                "-jar",
                jar.toString());
        ServerProcess process = new ServerProcess(
                new ServerProcess.Recipe(what, command, Map.of(), "TERM", question(url), START_LIMIT), folder, null);
        AtExit.close(process);
        try {
            process.start();
        } catch (RuntimeException e) {
            process.close();
            throw e;
        }
        return new PrivateRegistry(url, process);
    }

    private static Readiness.Question question(URI url) {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/subjects"))
                .timeout(ANSWER_LIMIT)
                .build();
        return () -> {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException("status " + response.statusCode() + " from " + request.uri());
            }
            return "ready";
        };
    }

    private static Path jar(RegistryLine line) throws IOException {
        Path folder = BuildFolder.path().resolve("registries").resolve(line.folder());
        if (!Files.isDirectory(folder)) {
            throw new IOException(
                    "no registry in " + folder + "; build the module test-servers, which unpacks it there");
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> JARS.stream().anyMatch(file.toString()::endsWith))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no jar of a registry in " + folder));
        }
    }

    private static Path java(RegistryLine line) throws IOException {
        List<Path> homes = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"))));
        Optional.ofNullable(System.getenv("JAVA_HOME")).map(Path::of).ifPresent(homes::add);
        if (Files.isDirectory(INSTALLED_JAVA)) {
            try (Stream<Path> installed = Files.list(INSTALLED_JAVA)) {
                installed.sorted().forEach(homes::add);
            }
        }
        for (Path home : homes) {
            if (version(home) >= line.java()) {
                return home.resolve("bin").resolve("java");
            }
        }
        throw new IOException("Apicurio Registry %s needs Java %d or later, which none of %s is"
                .formatted(line.folder(), line.java(), homes));
    }

    /** The version according to the installation; 0 if it has none. */
    private static int version(Path home) throws IOException {
        Path release = home.resolve("release");
        if (!Files.isRegularFile(release)
                || !Files.isExecutable(home.resolve("bin").resolve("java"))) {
            return 0;
        }
        return Files.readAllLines(release).stream()
                .filter(entry -> entry.startsWith("JAVA_VERSION="))
                .map(entry -> entry.replaceAll("^[^\"]*\"(\\d+).*$", "$1"))
                .filter(number -> number.matches("\\d+"))
                .mapToInt(Integer::parseInt)
                .findFirst()
                .orElse(0);
    }
}
