package io.outboxrelay.documents;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * A local Maven repository with what this build has made, as {@code ./mvnw install} would fill the user's own.
 * Everything else comes from the user's.
 */
final class LocalRepository {

    private static final String VERSION = "0.1.0-SNAPSHOT";
    private static final List<String> JARS = List.of(
            "outbox-client",
            "outbox-schema",
            "outbox-spring-boot-starter",
            "outbox-test",
            "schemas",
            "schemas-maven-plugin");

    private LocalRepository() {}

    /**
     * Fills a repository and writes a command {@code mvn} that uses it.
     *
     * @param folder an empty one
     * @return the folder of the command, for the PATH
     */
    static Path fill(Path folder) throws IOException {
        Path repository = folder.resolve("repository");
        copyPom(repository, "outbox-relay-parent", Document.ROOT.resolve("pom.xml"));
        for (String module : JARS) {
            Path home = Document.ROOT.resolve(module);
            Path target = copyPom(repository, module, home.resolve("pom.xml"));
            String jar = module + "-" + VERSION + ".jar";
            Files.copy(home.resolve("target").resolve(jar), target.resolve(jar));
        }
        Path commands = Files.createDirectories(folder.resolve("bin"));
        Files.writeString(
                Files.createFile(
                        commands.resolve("mvn"),
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"))),
                """
                #!/bin/sh
                export MAVEN_USER_HOME='%s'
                exec '%s' -B -ntp -Dmaven.repo.local='%s' -Dmaven.repo.local.tail='%s' "$@"
                """.formatted(
                                Path.of(System.getProperty("user.home"), ".m2"),
                                Document.ROOT.resolve("mvnw"),
                                repository,
                                Path.of(System.getProperty(
                                        "maven.repo.local", System.getProperty("user.home") + "/.m2/repository"))));
        return commands;
    }

    private static Path copyPom(Path repository, String artifact, Path pom) throws IOException {
        Path target = Files.createDirectories(
                repository.resolve("io/outboxrelay").resolve(artifact).resolve(VERSION));
        Files.copy(pom, target.resolve(artifact + "-" + VERSION + ".pom"));
        return target;
    }
}
