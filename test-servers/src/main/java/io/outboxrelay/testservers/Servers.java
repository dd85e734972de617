package io.outboxrelay.testservers;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The door: gives the servers that all tests of this JVM share, and starts private ones that a test may kill. */
public final class Servers {
    /** Shared servers are never killed, so they need not wait for the disk. */
    private static final String[] FORGETFUL_POSTGRES = {"fsync=off", "full_page_writes=off"};

    private static final String[] FORGETFUL_INNODB = {
        "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-binlog=0"
    };

    private static final Shared<Postgres> POSTGRES = new Shared<>(Servers::choosePostgres);
    private static final Shared<MariaDb> MARIADB = new Shared<>(Servers::chooseMariaDb);
    private static final Shared<MariaDb> MYSQL = new Shared<>(Servers::chooseMySql);
    private static final Shared<RabbitMq> RABBITMQ = new Shared<>(Servers::chooseRabbitMq);

    private Servers() {}

    /**
     * The PostgreSQL server that the whole JVM shares; started at the first call, stopped when the JVM exits.
     *
     * @return the server; tests make databases of their own in it
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static Postgres postgres() {
        return POSTGRES.get();
    }

    /**
     * The MariaDB server that the whole JVM shares; started at the first call, stopped when the JVM exits.
     *
     * @return the server; tests make databases of their own in it
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static MariaDb mariaDb() {
        return MARIADB.get();
    }

    /**
     * The MySQL server that the whole JVM shares; started at the first call, stopped when the JVM exits.
     *
     * @return the server; tests make databases of their own in it
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static MariaDb mySql() {
        return MYSQL.get();
    }

    /**
     * The RabbitMQ broker that the whole JVM shares; started at the first call, stopped when the JVM exits.
     *
     * @return the broker; tests make virtual hosts of their own in it
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static RabbitMq rabbitmq() {
        return RABBITMQ.get();
    }

    /**
     * Starts a PostgreSQL server that only the caller has, so that it may be killed.
     *
     * @return the running server, with default durability (except the embedded one, whose fsync is off)
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateServer<Postgres> startPrivatePostgres() {
        return startPrivatePostgres(Preference.CONTAINERS_FIRST);
    }

    /**
     * Starts a PostgreSQL server that only the caller has, so that it may be killed.
     *
     * @param preference the order in which kinds are tried, unless one is forced
     * @return the running server, with default durability (except the embedded one, whose fsync is off)
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateServer<Postgres> startPrivatePostgres(Preference preference) {
        return startPrivatePostgres(ServerKind.order(preference));
    }

    /**
     * Starts a PostgreSQL server of a certain major version that only the caller has: always an embedded one, whatever
     * kind of servers is chosen.
     *
     * @param major 14 to 18
     * @param settings of the server, each as {@code name=value}, such as {@code wal_level=logical}
     * @return the running server, with default durability
     * @throws IllegalStateException when it cannot be started here, with the missing part
     */
    public static PrivateServer<Postgres> startPrivatePostgres(int major, String... settings) {
        Loop.requireServers();
        try {
            return EmbeddedPostgres.programs(major).start(settings);
        } catch (IOException e) {
            throw new IllegalStateException(
                    "NO SERVER: PostgreSQL %d could not be started: %s".formatted(major, e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while PostgreSQL %d was starting".formatted(major), e);
        }
    }

    static PrivateServer<Postgres> startPrivatePostgres(List<ServerKind> order) {
        Map<ServerKind, Choice.Way<PrivateServer<Postgres>>> ways = Map.of(
                ServerKind.CONTAINERS, () -> Containers.startPostgres(),
                ServerKind.INSTALLED, () -> PostgresPrograms.installed().start(),
                ServerKind.EMBEDDED, () -> EmbeddedPostgres.programs().start());
        return new Choice("A private PostgreSQL", order).take(ways);
    }

    /**
     * Starts a MariaDB server that only the caller has, so that it may be killed.
     *
     * @return the running server, with default durability
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateServer<MariaDb> startPrivateMariaDb() {
        return startPrivateMariaDb(Preference.CONTAINERS_FIRST);
    }

    /**
     * Starts a MariaDB server that only the caller has, so that it may be killed.
     *
     * @param preference the order in which kinds are tried, unless one is forced
     * @return the running server, with default durability
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateServer<MariaDb> startPrivateMariaDb(Preference preference) {
        return startPrivateMariaDb(ServerKind.order(preference));
    }

    static PrivateServer<MariaDb> startPrivateMariaDb(List<ServerKind> order) {
        Map<ServerKind, Choice.Way<PrivateServer<MariaDb>>> ways = Map.of(
                ServerKind.CONTAINERS, () -> Containers.startMariaDb(),
                ServerKind.INSTALLED, () -> MariaDbPrograms.installed().start(),
                ServerKind.EMBEDDED, () -> EmbeddedMariaDb.programs().start());
        return new Choice("A private MariaDB", order).take(ways);
    }

    /**
     * Starts a MySQL server that only the caller has, so that it may be killed: an installed one where there is one. No
     * library has it embedded.
     *
     * @return the running server, with default durability
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateServer<MariaDb> startPrivateMySql() {
        return startPrivateMySql(ServerKind.order(Preference.INSTALLED_FIRST));
    }

    static PrivateServer<MariaDb> startPrivateMySql(List<ServerKind> order) {
        return new Choice("A private MySQL", order).take(waysToMySql());
    }

    private static Map<ServerKind, Choice.Way<PrivateServer<MariaDb>>> waysToMySql(String... options) {
        return Map.of(
                ServerKind.CONTAINERS, () -> Containers.startMySql(options),
                ServerKind.INSTALLED, () -> MySqlPrograms.installed().start(options),
                ServerKind.EMBEDDED,
                        () -> {
                            throw new IOException("there is no embedded MySQL");
                        });
    }

    /**
     * Starts a RabbitMQ broker that only the caller has, so that it may be killed.
     *
     * @return the running broker
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateRabbitMq startPrivateRabbitMq() {
        return startPrivateRabbitMq(Preference.CONTAINERS_FIRST);
    }

    /**
     * Starts a RabbitMQ broker that only the caller has, so that it may be killed.
     *
     * @param preference the order in which kinds are tried, unless one is forced
     * @return the running broker
     * @throws IllegalStateException when no kind of server could be started, with all attempts and their errors
     */
    public static PrivateRabbitMq startPrivateRabbitMq(Preference preference) {
        return startPrivateRabbitMq(ServerKind.order(preference));
    }

    /**
     * Starts a RabbitMQ broker of a certain release that only the caller has: always the one that lies in
     * {@code /usr/local/rabbitmq} under that name, whatever kind of servers is chosen.
     *
     * @param release such as {@code 4.3}
     * @param settings of the broker, each a line of {@code rabbitmq.conf}
     * @return the running broker
     * @throws IllegalStateException when it cannot be started here, with the missing part
     */
    public static PrivateRabbitMq startPrivateRabbitMq(String release, String... settings) {
        Loop.requireServers();
        try {
            return RabbitMqPrograms.ofRelease(release).start(settings);
        } catch (IOException e) {
            throw new IllegalStateException(
                    "NO SERVER: RabbitMQ %s could not be started: %s".formatted(release, e.getMessage()), e);
        }
    }

    static PrivateRabbitMq startPrivateRabbitMq(List<ServerKind> order) {
        Map<ServerKind, Choice.Way<PrivateRabbitMq>> ways = Map.of(
                ServerKind.CONTAINERS, Containers::startRabbitMq,
                ServerKind.INSTALLED, () -> RabbitMqPrograms.installed().start(),
                ServerKind.EMBEDDED, EmbeddedBroker::launch);
        return new Choice("A private broker", order).take(ways);
    }

    /**
     * Starts a schema registry that only the caller has, so that it may be killed: a process of this machine, whatever
     * kind of other servers is chosen.
     *
     * @param line which one
     * @return the running registry, empty
     * @throws IllegalStateException when it cannot be started here, with the missing part
     */
    public static PrivateRegistry startPrivateRegistry(RegistryLine line) {
        Loop.requireServers();
        try {
            return RegistryPrograms.start(line);
        } catch (IOException e) {
            throw new IllegalStateException("NO SERVER: a schema registry could not be started: " + e.getMessage(), e);
        }
    }

    private static Postgres choosePostgres() {
        Map<ServerKind, Choice.Way<Postgres>> ways = Map.of(
                ServerKind.CONTAINERS,
                        () -> Containers.startPostgres(FORGETFUL_POSTGRES).server(),
                ServerKind.INSTALLED, Servers::installedPostgres,
                ServerKind.EMBEDDED, () -> EmbeddedPostgres.programs().start().server());
        return new Choice("The shared PostgreSQL", ServerKind.order(Preference.CONTAINERS_FIRST)).take(ways);
    }

    /**
     * The machine's own MariaDB usually accepts no TCP logins, so "installed" means a private server from its programs.
     */
    private static MariaDb chooseMariaDb() {
        Map<ServerKind, Choice.Way<MariaDb>> ways = Map.of(
                ServerKind.CONTAINERS,
                        () -> Containers.startMariaDb(FORGETFUL_INNODB).server(),
                ServerKind.INSTALLED,
                        () -> MariaDbPrograms.installed()
                                .start(FORGETFUL_INNODB)
                                .server(),
                ServerKind.EMBEDDED, () -> EmbeddedMariaDb.programs().start().server());
        return new Choice("The shared MariaDB", ServerKind.order(Preference.CONTAINERS_FIRST)).take(ways);
    }

    private static MariaDb chooseMySql() {
        return new Choice("The shared MySQL", ServerKind.order(Preference.INSTALLED_FIRST))
                .take(waysToMySql(FORGETFUL_INNODB))
                .server();
    }

    private static RabbitMq chooseRabbitMq() {
        Map<ServerKind, Choice.Way<RabbitMq>> ways = Map.of(
                ServerKind.CONTAINERS, () -> Containers.startRabbitMq().server(),
                ServerKind.INSTALLED, Servers::installedRabbitMq,
                ServerKind.EMBEDDED, () -> EmbeddedBroker.launch().server());
        return new Choice("The shared broker", ServerKind.order(Preference.CONTAINERS_FIRST)).take(ways);
    }

    private static Postgres installedPostgres() throws Exception {
        return runningElseOurs(
                PostgresPrograms::runningHere,
                () -> PostgresPrograms.installed().start(FORGETFUL_POSTGRES).server());
    }

    private static RabbitMq installedRabbitMq() throws Exception {
        return runningElseOurs(
                RabbitMqPrograms::runningHere,
                () -> RabbitMqPrograms.installed().start().server());
    }

    /** The server that the machine runs anyway takes no time to start; without it, one of our own does as well. */
    private static <T> T runningElseOurs(Choice.Way<T> running, Choice.Way<T> ours) throws Exception {
        try {
            return running.start();
        } catch (Exception notRunning) {
            try {
                return ours.start();
            } catch (Exception notInstalled) {
                throw new IllegalStateException(
                        "the machine's server: %s; a private one: %s"
                                .formatted(notRunning.getMessage(), notInstalled.getMessage()),
                        notInstalled);
            }
        }
    }

    /** Made at the first call and then kept, also when that failed: the second try would only cost the same time. */
    private static final class Shared<T> {
        private final Supplier<T> maker;
        private @Nullable T made;
        private @Nullable IllegalStateException failure;

        private Shared(Supplier<T> maker) {
            this.maker = maker;
        }

        private synchronized T get() {
            if (failure != null) {
                throw new IllegalStateException(failure.getMessage(), failure);
            }
            T server = made;
            if (server == null) {
                try {
                    server = maker.get();
                    made = server;
                } catch (IllegalStateException e) {
                    failure = e;
                    throw e;
                }
            }
            return server;
        }
    }
}
