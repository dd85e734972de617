package io.outboxrelay.testservers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The programs of a MariaDB that lies on this machine's disk, and the servers made of them.
 *
 * @param server the program {@code mariadbd}
 * @param installer the program {@code mariadb-install-db}
 * @param home what to call the programs' home, or empty when they know it themselves
 * @param namePrefix what the servers' names begin with, before the version
 */
record MariaDbPrograms(Path server, Path installer, Optional<Path> home, String namePrefix) {
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final String USER = "tester";

    /** Asks the server of a kind at an address for its version. */
    static Readiness.Question question(DatabaseKind kind, ServerAddress address) {
        return () -> {
            try (Connection connection = TestDatabase.impatient(kind, address).getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT version()")) {
                rows.next();
                return rows.getString(1).split("-", 2)[0];
            }
        };
    }

    /**
     * The programs that are installed.
     *
     * @throws IOException when there are none
     */
    static MariaDbPrograms installed() throws IOException {
        return new MariaDbPrograms(
                InstalledPrograms.first("mariadbd"),
                InstalledPrograms.first("mariadb-install-db"),
                Optional.empty(),
                "mariadb-");
    }

    /**
     * Makes an empty data folder and starts a server in it, by default with the durability that MariaDB has by default.
     *
     * @param options of the server, each as {@code --name=value}
     * @throws IOException when a program is missing or fails, with its output
     */
    PrivateServer<MariaDb> start(String... options) throws IOException, InterruptedException {
        PrivateFolder folder = PrivateFolder.create("outbox-mariadb-");
        ServerAddress address = new ServerAddress("127.0.0.1", FreePorts.next(), USER, USER);
        ServerProcess process = new ServerProcess(recipe(folder, address, options), folder, null);
        AtExit.close(process);
        try {
            initialise(folder);
            process.start();
        } catch (IOException | InterruptedException | RuntimeException e) {
            process.close();
            throw e;
        }
        return new PrivateServer<>(new MariaDb(DatabaseKind.MARIADB, namePrefix + process.version(), address), process);
    }

    private ServerProcess.Recipe recipe(PrivateFolder folder, ServerAddress address, String... options) {
        List<String> command = new ArrayList<>(List.of(server.toString()));
        command.addAll(common(folder));
        command.addAll(List.of("--bind-address=" + address.host(), "--port=" + address.port(), "--skip-name-resolve"));
        command.addAll(List.of("--socket=" + folder.path().resolve("socket"), "--tmpdir=" + folder.path()));
        command.addAll(List.of("--pid-file=" + folder.path().resolve("pid"), "--init-file=" + users(folder)));
        command.addAll(List.of(options));
        return new ServerProcess.Recipe(
                "the private MariaDB on port " + address.port(),
                command,
                Map.of("LC_ALL", "C"),
                "TERM",
                question(DatabaseKind.MARIADB, address),
                START_LIMIT);
    }

    private List<String> common(PrivateFolder folder) {
        List<String> options = new ArrayList<>(List.of("--no-defaults"));
        home.ifPresent(where -> options.add("--basedir=" + where));
        home.ifPresent(where -> options.add("--lc-messages-dir=" + where.resolve("share")));
        options.add("--datadir=" + folder.path().resolve("data"));
        if ("root".equals(System.getProperty("user.name"))) {
            options.add("--user=root"); // it refuses to be root unless it is told to
        }
        return options;
    }

    private static Path users(PrivateFolder folder) {
        return folder.path().resolve("users.sql");
    }

    private void initialise(PrivateFolder folder) throws IOException, InterruptedException {
        Files.writeString(users(folder), """
                CREATE USER IF NOT EXISTS '%1$s'@'%%' IDENTIFIED BY '%1$s';
                GRANT ALL PRIVILEGES ON *.* TO '%1$s'@'%%' WITH GRANT OPTION;
                """.formatted(USER));
        List<String> command = new ArrayList<>(List.of(installer.toString()));
        command.addAll(common(folder));
        command.addAll(List.of(
                "--tmpdir=" + folder.path(),
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve"));
        ChildProcess.Result result = ChildProcess.run(
                new ProcessBuilder(command).directory(folder.path().toFile()));
        if (result.status() != 0) {
            throw new IOException("mariadb-install-db ended with status %d: %s %s"
                    .formatted(result.status(), result.error(), result.output()));
        }
    }
}
