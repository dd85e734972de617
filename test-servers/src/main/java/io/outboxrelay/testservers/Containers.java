package io.outboxrelay.testservers;

import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.PortBinding;
import com.github.dockerjava.api.model.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/** Servers in containers of their own, on ports that stay the same when a container is killed and started again. */
final class Containers {
    private static final String POSTGRES_IMAGE = "postgres:15-alpine";
    private static final String MARIADB_IMAGE = "mariadb:10.11";
    static final String MYSQL_IMAGE = "mysql:8.4";
    private static final String RABBITMQ_IMAGE = "rabbitmq:3-management-alpine";
    private static final Duration START_LIMIT = Duration.ofSeconds(120);

    private Containers() {}

    /** @param settings of the server, each as {@code name=value} */
    static PrivateServer<Postgres> startPostgres(String... settings) throws IOException {
        requireEngine();
        int port = FreePorts.next();
        ServerAddress address = new ServerAddress(host(), port, "postgres", "postgres");
        String image = System.getProperty("outbox.image.postgres", POSTGRES_IMAGE);
        GenericContainer<?> container = container(image, Map.of(5432, port))
                .withEnv(Map.of(
                        "POSTGRES_USER",
                        address.user(),
                        "POSTGRES_PASSWORD",
                        address.password(),
                        // Tests open many connections, and the usual check of a password is made to take long.
                        "POSTGRES_INITDB_ARGS",
                        "--auth-host=md5",
                        "POSTGRES_HOST_AUTH_METHOD",
                        "md5"))
                .withCommand(Stream.concat(
                                Stream.of("postgres"),
                                Arrays.stream(settings).flatMap(setting -> Stream.of("-c", setting)))
                        .toArray(String[]::new));
        ContainerServer server = start(container, image, PostgresPrograms.question(address));
        return new PrivateServer<>(new Postgres("postgresql-container", address, false), server);
    }

    /** @param options of the server, each as {@code --name=value} */
    static PrivateServer<MariaDb> startMariaDb(String... options) throws IOException {
        return startMariaDb(DatabaseKind.MARIADB, "mariadb", MARIADB_IMAGE, options);
    }

    /** @param options of the server, each as {@code --name=value} */
    static PrivateServer<MariaDb> startMySql(String... options) throws IOException {
        return startMariaDb(DatabaseKind.MYSQL, "mysql", MYSQL_IMAGE, options);
    }

    private static PrivateServer<MariaDb> startMariaDb(
            DatabaseKind kind, String name, String usualImage, String... options) throws IOException {
        requireEngine();
        int port = FreePorts.next();
        ServerAddress address = new ServerAddress(host(), port, "root", name);
        String image = System.getProperty("outbox.image." + name, usualImage);
        GenericContainer<?> container = container(image, Map.of(3306, port))
                .withEnv(name.toUpperCase(Locale.ROOT) + "_ROOT_PASSWORD", address.password())
                .withCommand(options);
        ContainerServer server = start(container, image, MariaDbPrograms.question(kind, address));
        return new PrivateServer<>(new MariaDb(kind, name + "-container", address), server);
    }

    static PrivateRabbitMq startRabbitMq() throws IOException {
        requireEngine();
        int port = FreePorts.next();
        ServerAddress address = new ServerAddress(host(), port, "guest", "guest");
        String image = System.getProperty("outbox.image.rabbitmq", RABBITMQ_IMAGE);
        int tlsPort = FreePorts.next();
        GenericContainer<?> container = container(image, Map.of(5672, port, 5671, tlsPort));
        ContainerServer server = start(container, image, RabbitMqPrograms.question(address));
        RabbitMqControl control = new RabbitMqControl(address.user(), server::isRunning, arguments -> {
            List<String> command = new ArrayList<>(List.of("rabbitmqctl"));
            command.addAll(arguments);
            Container.ExecResult result = container.execInContainer(command.toArray(String[]::new));
            return new ChildProcess.Result(result.getExitCode(), result.getStdout(), result.getStderr());
        });
        return new PrivateRabbitMq(
                new RabbitMq("rabbitmq-container", address, control, false),
                server,
                new PrivateRabbitMq.TlsPorts(tlsPort, 5671));
    }

    private static ContainerServer start(GenericContainer<?> container, String image, Readiness.Question question) {
        ContainerServer server = new ContainerServer(container, image, question, START_LIMIT);
        AtExit.close(server);
        try {
            server.start();
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** @param ports the container's ports, each with that of this machine which leads there */
    private static GenericContainer<?> container(String image, Map<Integer, Integer> ports) {
        List<PortBinding> bindings = ports.entrySet().stream()
                .map(port -> new PortBinding(Ports.Binding.bindPort(port.getValue()), ExposedPort.tcp(port.getKey())))
                .toList();
        return new GenericContainer<>(DockerImageName.parse(image))
                .withExposedPorts(ports.keySet().toArray(Integer[]::new))
                .withCreateContainerCmdModifier(command -> {
                    HostConfig host = Objects.requireNonNullElseGet(command.getHostConfig(), HostConfig::new);
                    command.withHostConfig(host.withPortBindings(bindings));
                })
                .waitingFor(new AnsweredElsewhere());
    }

    private static String host() {
        return DockerClientFactory.instance().dockerHostIpAddress();
    }

    static boolean engineAnswers() {
        return mayHaveEngine() && DockerClientFactory.instance().isDockerAvailable();
    }

    /** Whether the engine answers and has an image already. */
    static boolean has(String image) {
        return engineAnswers()
                && DockerClientFactory.instance()
                                .client()
                                .listImagesCmd()
                                .withReferenceFilter(image)
                                .exec()
                                .size()
                        > 0;
    }

    /** Checks for an engine first, because Testcontainers needs seconds and many log lines for that. */
    private static void requireEngine() throws IOException {
        if (!mayHaveEngine()) {
            throw new IOException(
                    "no container engine (no DOCKER_HOST, no docker.sock, no .testcontainers.properties)");
        }
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IOException(
                    "the container engine does not answer (DOCKER_HOST=%s)".formatted(System.getenv("DOCKER_HOST")));
        }
    }

    private static boolean mayHaveEngine() {
        Path home = Path.of(System.getProperty("user.home"));
        Path runtime = Path.of(Objects.requireNonNullElse(System.getenv("XDG_RUNTIME_DIR"), "/run"));
        return System.getenv("DOCKER_HOST") != null
                || System.getProperty("os.name").startsWith("Windows")
                || Stream.of(
                                Path.of("/var/run/docker.sock"),
                                runtime.resolve("docker.sock"),
                                home.resolve(".docker/run/docker.sock"),
                                home.resolve(".docker/desktop/docker.sock"),
                                home.resolve(".testcontainers.properties"))
                        .anyMatch(Files::exists);
    }
}
