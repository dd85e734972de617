package io.outboxrelay.testservers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Skips the kinds of servers that this machine cannot have, and no other. */
final class AvailableKinds {
    private AvailableKinds() {}

    static void assumePostgres(ServerKind kind) {
        assumeTrue(
                switch (kind) {
                    case CONTAINERS -> Containers.engineAnswers();
                    case INSTALLED -> Files.isDirectory(Path.of("/usr/lib/postgresql"));
                    case EMBEDDED ->
                        System.getProperty("os.name").equals("Linux")
                                && System.getProperty("os.arch").equals("amd64");
                },
                "no PostgreSQL of kind " + kind.word());
    }

    static void assumeMariaDb(ServerKind kind) {
        assumeTrue(
                switch (kind) {
                    case CONTAINERS -> Containers.engineAnswers();
                    case INSTALLED -> Files.isExecutable(Path.of("/usr/sbin/mariadbd"));
                    case EMBEDDED ->
                        System.getProperty("os.name").equals("Linux")
                                && System.getProperty("os.arch").equals("amd64");
                },
                "no MariaDB of kind " + kind.word());
    }

    /** Does not download an image; tests on MySQL report when there is none. */
    static void assumeMySql(ServerKind kind) {
        assumeTrue(
                switch (kind) {
                    case CONTAINERS -> Containers.has(Containers.MYSQL_IMAGE);
                    case INSTALLED -> mySqlIsInstalled();
                    case EMBEDDED -> false;
                },
                "no MySQL of kind " + kind.word());
    }

    private static boolean mySqlIsInstalled() {
        try {
            MySqlPrograms.installed();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    static void assumeRabbitMq(ServerKind kind) {
        assumeTrue(
                switch (kind) {
                    case CONTAINERS -> Containers.engineAnswers();
                    case INSTALLED -> Files.isDirectory(Path.of("/usr/lib/rabbitmq"));
                    case EMBEDDED -> false; // cannot be killed: EmbeddedBrokerTest
                },
                "no RabbitMQ of kind " + kind.word());
    }

    static List<ServerKind> only(ServerKind kind) {
        return List.of(kind);
    }
}
