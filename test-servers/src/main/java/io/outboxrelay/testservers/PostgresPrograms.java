package io.outboxrelay.testservers;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The programs of a PostgreSQL that lies on this machine's disk, and the servers made of them.
 *
 * @param bin the folder with {@code initdb} and {@code postgres}
 * @param namePrefix what the servers' names begin with, before the version
 */
record PostgresPrograms(Path bin, String namePrefix) {
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final String SUPERUSER = "postgres";
    private static final List<Path> HOMES = List.of(
            Path.of("/usr/lib/postgresql"), Path.of("/usr"), Path.of("/opt/homebrew/opt"), Path.of("/usr/local/opt"));

    /** Asks the server at an address for its version. */
    static Readiness.Question question(ServerAddress address) {
        return () -> {
            try (Connection connection =
                            TestDatabase.impatient(address, "postgres").getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SHOW server_version")) {
                rows.next();
                return rows.getString(1).split(" ", 2)[0];
            }
        };
    }

    /**
     * The programs that are installed, those of the highest version.
     *
     * @throws IOException when there are none
     */
    static PostgresPrograms installed() throws IOException {
        List<Path> places = new ArrayList<>();
        for (Path home : HOMES) {
            places.addAll(versionsBelow(home));
        }
        for (String folder :
                Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator)) {
            places.add(Path.of(folder));
        }
        return places.stream()
                .filter(bin -> Files.isExecutable(bin.resolve("postgres")) && Files.isExecutable(bin.resolve("initdb")))
                .findFirst()
                .map(bin -> new PostgresPrograms(bin, "postgresql-"))
                .orElseThrow(
                        () -> new IOException("no folder with initdb and postgres below " + HOMES + " or on the PATH"));
    }

    private static List<Path> versionsBelow(Path home) throws IOException {
        if (!Files.isDirectory(home)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(home)) {
            return children.filter(child -> child.getFileName().toString().matches("(postgresql@|pgsql-)?[0-9]{2}"))
                    .sorted(Comparator.comparing((Path child) ->
                                    child.getFileName().toString().replaceAll("^[^0-9]+", ""))
                            .reversed())
                    .map(child -> child.resolve("bin"))
                    .toList();
        }
    }

    /**
     * Makes an empty cluster and starts it, with the durability that PostgreSQL has by default.
     *
     * @param settings of the server, each as {@code name=value}
     * @throws IOException when a program is missing or fails, with its output
     */
    PrivateServer<Postgres> start(String... settings) throws IOException, InterruptedException {
        PrivateFolder folder = PrivateFolder.create("outbox-postgres-");
        ServerAddress address = new ServerAddress("127.0.0.1", FreePorts.next(), SUPERUSER, SUPERUSER);
        ServerProcess process = new ServerProcess(recipe(folder, address, settings), folder, null);
        AtExit.close(process);
        try {
            initialise(folder);
            process.start();
        } catch (IOException | InterruptedException | RuntimeException e) {
            process.close();
            throw e;
        }
        return new PrivateServer<>(new Postgres(namePrefix + process.version(), address, false), process);
    }

    private ServerProcess.Recipe recipe(PrivateFolder folder, ServerAddress address, String... settings)
            throws IOException {
        List<String> command = new ArrayList<>(Account.current().prefix());
        command.addAll(List.of(
                bin.resolve("postgres").toString(),
                "-D",
                folder.path().resolve("data").toString()));
        command.addAll(List.of("-c", "listen_addresses=" + address.host(), "-c", "port=" + address.port()));
        command.addAll(List.of("-c", "unix_socket_directories=" + folder.path()));
        for (String setting : settings) {
            command.addAll(List.of("-c", setting));
        }
        return new ServerProcess.Recipe(
                "the private PostgreSQL on port " + address.port(),
                command,
                Map.of("LC_ALL", "C"),
                "INT",
                question(address),
                START_LIMIT);
    }

    private void initialise(PrivateFolder folder) throws IOException, InterruptedException {
        Account account = Account.current();
        if (account.user().isPresent()) {
            Files.setOwner(folder.path(), account.user().get());
        }
        List<String> command = new ArrayList<>(account.prefix());
        command.addAll(List.of(
                bin.resolve("initdb").toString(),
                "-D",
                folder.path().resolve("data").toString()));
        command.addAll(List.of("-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.path().toFile());
        builder.environment().put("LC_ALL", "C");
        ChildProcess.Result result = ChildProcess.run(builder);
        if (result.status() != 0) {
            throw new IOException("initdb ended with status %d: %s".formatted(result.status(), result.error()));
        }
    }

    /**
     * The account that the server runs under: PostgreSQL refuses to run as root.
     *
     * @param user the account to change to; empty if this JVM's own account will do
     * @param prefix what to put before a command so that it runs under the account
     */
    private record Account(Optional<UserPrincipal> user, List<String> prefix) {
        static Account current() throws IOException {
            if (!"root".equals(System.getProperty("user.name"))) {
                return new Account(Optional.empty(), List.of());
            }
            for (String name : List.of("postgres", "nobody")) {
                try {
                    UserPrincipal user = Path.of("/")
                            .getFileSystem()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByName(name);
                    return new Account(
                            Optional.of(user),
                            List.of("setpriv", "--reuid", name, "--regid", groupOf(name), "--clear-groups"));
                } catch (java.nio.file.attribute.UserPrincipalNotFoundException e) {
                    // the next one
                }
            }
            throw new IOException("PostgreSQL does not run as root, and there is no user postgres or nobody");
        }

        private static String groupOf(String user) throws IOException {
            try {
                return ChildProcess.run(new ProcessBuilder("id", "-g", user))
                        .output()
                        .strip();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UncheckedIOException(new IOException("interrupted", e));
            }
        }
    }

    /** Whether a folder belongs to the user that this JVM runs as. */
    static boolean isOurs(Path folder) throws IOException {
        return Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).getName().equals(System.getProperty("user.name"));
    }

    /**
     * The server that is installed and running at PostgreSQL's usual address, if it lets us be superuser.
     *
     * @throws SQLException when it does not answer or does not let us
     */
    static Postgres runningHere() throws SQLException {
        SQLException refusal = new SQLException("nobody tried");
        for (String user : List.of(System.getProperty("user.name"), SUPERUSER)) {
            String password = Optional.ofNullable(System.getenv("PGPASSWORD")).orElse(SUPERUSER);
            ServerAddress address = new ServerAddress("127.0.0.1", 5432, user, password);
            try (Connection connection =
                            TestDatabase.impatient(address, "postgres").getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet rows =
                            statement.executeQuery("SELECT rolsuper, current_setting('server_version') FROM pg_roles"
                                    + " WHERE rolname = current_user")) {
                rows.next();
                if (rows.getBoolean(1)) {
                    return new Postgres("postgresql-" + rows.getString(2).split(" ", 2)[0], address, true);
                }
                refusal =
                        new SQLException("the server at 127.0.0.1:5432 does not have %s as superuser".formatted(user));
            } catch (SQLException e) {
                refusal = e;
            }
        }
        throw refusal;
    }
}
