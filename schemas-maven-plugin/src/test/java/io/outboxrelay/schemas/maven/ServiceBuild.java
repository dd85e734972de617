package io.outboxrelay.schemas.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Builds a small service by Maven, in a process of its own and without a network. What this build has made lies in a
 * repository of the test; everything else is taken from that of this build.
 */
final class ServiceBuild {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final long LIMIT_SECONDS = 180;

    private final Path service;
    private final Path repository;

    ServiceBuild(Path folder) throws IOException {
        service = folder.resolve("service");
        repository = folder.resolve("repository");
        copy(Path.of("src/test/resources/service"), service);
        provide("outbox-relay-parent", ROOT.resolve("pom.xml"));
        provide("schemas", ROOT.resolve("schemas/pom.xml"));
        provide("schemas-maven-plugin", ROOT.resolve("schemas-maven-plugin/pom.xml"));
    }

    /** How a build ended, and all that it printed. */
    record Result(int status, String output) {}

    Path service() {
        return service;
    }

    Result verify() throws IOException, InterruptedException {
        return run(Map.of(), "verify");
    }

    /** One goal of the plugin after the other, or what else Maven takes. */
    Result run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        Path output = service.resolve("output.txt");
        List<String> command = new ArrayList<>(List.of(
                ROOT.resolve("mvnw").toString(),
                "--offline",
                "--batch-mode",
                "-Dmaven.repo.local=" + repository,
                "-Dmaven.repo.local.tail=" + property("outbox.local-repository"),
                "-Doutbox.version=" + property("outbox.version"),
                "-Davro.version=" + property("avro.version")));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        Process maven = builder.directory(service.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!maven.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            maven.destroyForcibly().waitFor();
            throw new IllegalStateException("Maven did not end in time: " + Files.readString(output));
        }
        return new Result(maven.exitValue(), Files.readString(output));
    }

    private void provide(String artifact, Path pom) throws IOException {
        String version = property("outbox.version");
        Path folder = Files.createDirectories(
                repository.resolve("io/outboxrelay").resolve(artifact).resolve(version));
        String name = artifact + "-" + version;
        Files.copy(pom, folder.resolve(name + ".pom"));
        Path jar = pom.resolveSibling("target").resolve(name + ".jar");
        if (Files.exists(jar)) {
            Files.copy(jar, folder.resolve(name + ".jar"));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : all.toList()) {
                Files.copy(each, to.resolve(from.relativize(each).toString()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private static String property(String name) {
        return Objects.requireNonNull(System.getProperty(name), name);
    }
}
