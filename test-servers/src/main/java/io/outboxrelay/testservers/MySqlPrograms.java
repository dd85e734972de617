package io.outboxrelay.testservers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The program of a MySQL that lies on this machine's disk, and the servers made of it.
 *
 * @param server the program {@code mysqld}
 */
record MySqlPrograms(Path server) {
    private static final Duration START_LIMIT = Duration.ofSeconds(120);
    private static final String USER = "tester";

    /**
     * The program that is installed. MariaDB has one of the same name.
     *
     * @throws IOException when there is none
     */
    static MySqlPrograms installed() throws IOException {
        for (Path program : InstalledPrograms.all("mysqld")) {
            try {
                ChildProcess.Result version = ChildProcess.run(new ProcessBuilder(program.toString(), "--version"));
                if (version.status() == 0 && !version.output().contains("MariaDB")) {
                    return new MySqlPrograms(program);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while asking %s for its version".formatted(program), e);
            }
        }
        throw new IOException("no mysqld on the PATH that is not MariaDB's");
    }

    /**
     * Makes an empty data folder and starts a server in it, by default with the durability that MySQL has by default.
     *
     * @param options of the server, each as {@code --name=value}
     * @throws IOException when the program fails, with its output
     */
    PrivateServer<MariaDb> start(String... options) throws IOException, InterruptedException {
        PrivateFolder folder = PrivateFolder.create("outbox-mysql-");
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
        return new PrivateServer<>(new MariaDb(DatabaseKind.MYSQL, "mysql-" + process.version(), address), process);
    }

    private ServerProcess.Recipe recipe(PrivateFolder folder, ServerAddress address, String... options) {
        List<String> command = common(folder);
        command.addAll(List.of("--bind-address=" + address.host(), "--port=" + address.port(), "--mysqlx=OFF"));
        command.addAll(List.of("--socket=" + folder.path().resolve("socket"), "--tmpdir=" + folder.path()));
        command.add("--pid-file=" + folder.path().resolve("pid"));
        command.addAll(List.of(options));
        return new ServerProcess.Recipe(
                "the private MySQL on port " + address.port(),
                command,
                Map.of("LC_ALL", "C"),
                "TERM",
                MariaDbPrograms.question(DatabaseKind.MYSQL, address),
                START_LIMIT);
    }

    private List<String> common(PrivateFolder folder) {
        List<String> options = new ArrayList<>(List.of(server.toString(), "--no-defaults"));
        options.add("--secure-file-priv=NULL"); // else a folder that only an installed service has
        options.add("--datadir=" + folder.path().resolve("data"));
        if ("root".equals(System.getProperty("user.name"))) {
            options.add("--user=root"); // it refuses to be root unless it is told to
        }
        return options;
    }

    private void initialise(PrivateFolder folder) throws IOException, InterruptedException {
        Path users = folder.path().resolve("users.sql");
        Files.writeString(users, """
                CREATE USER '%1$s'@'%%' IDENTIFIED BY '%1$s';
                GRANT ALL PRIVILEGES ON *.* TO '%1$s'@'%%' WITH GRANT OPTION;
                """.formatted(USER));
        List<String> command = common(folder);
        command.addAll(List.of("--initialize-insecure", "--init-file=" + users));
        ChildProcess.Result result = ChildProcess.run(
                new ProcessBuilder(command).directory(folder.path().toFile()));
        if (result.status() != 0) {
            throw new IOException("mysqld --initialize ended with status %d: %s %s"
                    .formatted(result.status(), result.error(), result.output()));
        }
    }
}
