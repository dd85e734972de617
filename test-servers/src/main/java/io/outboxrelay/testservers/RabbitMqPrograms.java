package io.outboxrelay.testservers;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The programs of a RabbitMQ that is installed on this machine, and the nodes made of them.
 *
 * @param sbin the folder with {@code rabbitmq-server} and {@code rabbitmqctl} as RabbitMQ ships them: the wrappers that
 *     Debian puts on the PATH change the user and write to the machine's own folders
 */
record RabbitMqPrograms(Path sbin) {
    private static final Duration START_LIMIT = Duration.ofSeconds(120);
    private static final String USER = "guest";
    private static final List<Path> PLACES = List.of(
            Path.of("/opt/rabbitmq/sbin"),
            Path.of("/opt/homebrew/opt/rabbitmq/sbin"),
            Path.of("/usr/local/opt/rabbitmq/sbin"));
    private static final Path DEBIAN = Path.of("/usr/lib/rabbitmq/lib");
    /** Where other releases lie beside the machine's own one, each in a folder such as 4.3. */
    private static final Path BESIDE = Path.of("/usr/local/rabbitmq");

    /** Asks the broker at an address for its version. */
    static Readiness.Question question(ServerAddress address) {
        return () -> {
            requireAmqp(address);
            ConnectionFactory factory = new ConnectionFactory();
            factory.setHost(address.host());
            factory.setPort(address.port());
            factory.setUsername(address.user());
            factory.setPassword(address.password());
            factory.setConnectionTimeout(5_000);
            factory.setHandshakeTimeout(5_000);
            factory.setAutomaticRecoveryEnabled(false);
            try (Connection connection = factory.newConnection("test-servers")) {
                return String.valueOf(connection.getServerProperties().get("version"));
            }
        };
    }

    /**
     * Speaks the first bytes of AMQP 0-9-1 (section 4.2.2) and checks whether a method frame comes back. A container's
     * port accepts connections long before the broker does, and the client library would log each of them as broken.
     */
    private static void requireAmqp(ServerAddress address) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address.host(), address.port()), 5_000);
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write(new byte[] {'A', 'M', 'Q', 'P', 0, 0, 9, 1});
            if (socket.getInputStream().read() != AMQP.FRAME_METHOD) {
                throw new IOException("%s:%d does not speak AMQP 0-9-1 yet".formatted(address.host(), address.port()));
            }
        }
    }

    /**
     * The programs that are installed.
     *
     * @throws IOException when there are none
     */
    static RabbitMqPrograms installed() throws IOException {
        List<Path> places = new ArrayList<>(PLACES);
        if (Files.isDirectory(DEBIAN)) {
            try (Stream<Path> versions = Files.list(DEBIAN)) {
                versions.sorted(Comparator.reverseOrder())
                        .map(version -> version.resolve("sbin"))
                        .forEach(places::add);
            }
        }
        return places.stream()
                .filter(sbin -> Files.isExecutable(sbin.resolve("rabbitmq-server")))
                .findFirst()
                .map(RabbitMqPrograms::new)
                .orElseThrow(() -> new IOException("no rabbitmq-server in " + places));
    }

    /**
     * The programs of a release that lies beside the machine's own one.
     *
     * @param release such as 4.3
     * @throws IOException when it is not there
     */
    static RabbitMqPrograms ofRelease(String release) throws IOException {
        Path sbin = BESIDE.resolve(release).resolve("sbin");
        if (!Files.isExecutable(sbin.resolve("rabbitmq-server"))) {
            throw new IOException("no rabbitmq-server in " + sbin);
        }
        return new RabbitMqPrograms(sbin);
    }

    /**
     * The broker that is installed and running at RabbitMQ's usual address, if it lets us administer it.
     *
     * @throws Exception when it does not answer or does not let us
     */
    static RabbitMq runningHere() throws Exception {
        ServerAddress address = new ServerAddress("127.0.0.1", 5672, USER, USER);
        String version = question(address).version();
        RabbitMqControl control = new RabbitMqControl(
                USER,
                () -> true,
                arguments -> ChildProcess.run(new ProcessBuilder(withProgram("rabbitmqctl", arguments))));
        control.run("eval", "ok."); // fails unless this user may read the node's cookie
        return new RabbitMq("rabbitmq-" + version, address, control, true);
    }

    /**
     * Starts a node with no plugins that shares nothing with any other.
     *
     * @param settings lines of its {@code rabbitmq.conf}
     * @throws IOException when a program is missing or fails
     */
    PrivateRabbitMq start(String... settings) throws IOException {
        PrivateFolder folder = PrivateFolder.create("outbox-rabbitmq-");
        ServerAddress address = new ServerAddress("127.0.0.1", FreePorts.next(), USER, USER);
        int epmdPort = FreePorts.next();
        Map<String, String> environment = environment(folder, address, epmdPort);
        ServerProcess process = new ServerProcess(recipe(address, environment), folder, startEpmd(epmdPort));
        AtExit.close(process);
        try {
            Files.writeString(folder.path().resolve("enabled_plugins"), "[].\n");
            Files.writeString(folder.path().resolve("rabbitmq.conf"), """
                    listeners.tcp.default = %s:%d
                    log.console = true
                    log.console.level = info
                    %s
                    """.formatted(
                            address.host(), address.port(), String.join("\n", settings)));
            process.start();
        } catch (IOException | RuntimeException e) {
            process.close();
            throw e;
        }
        int tlsPort = FreePorts.next();
        return new PrivateRabbitMq(
                new RabbitMq("rabbitmq-" + process.version(), address, control(process, environment), false),
                process,
                new PrivateRabbitMq.TlsPorts(tlsPort, tlsPort));
    }

    private RabbitMqControl control(ServerProcess process, Map<String, String> environment) {
        return new RabbitMqControl(USER, process::isRunning, arguments -> {
            ProcessBuilder builder =
                    new ProcessBuilder(withProgram(sbin.resolve("rabbitmqctl").toString(), arguments));
            builder.environment().putAll(environment);
            return ChildProcess.run(builder);
        });
    }

    private ServerProcess.Recipe recipe(ServerAddress address, Map<String, String> environment) {
        return new ServerProcess.Recipe(
                "the private RabbitMQ on port " + address.port(),
                List.of(sbin.resolve("rabbitmq-server").toString()),
                environment,
                "TERM",
                question(address),
                START_LIMIT);
    }

    /** The name server of Erlang nodes, in the foreground: the node would start one that outlives everything. */
    private static ChildProcess startEpmd(int port) throws IOException {
        return ChildProcess.start(new ProcessBuilder("epmd", "-address", "127.0.0.1", "-port", Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD));
    }

    private static Map<String, String> environment(PrivateFolder folder, ServerAddress address, int epmdPort) {
        Map<String, String> environment = new HashMap<>();
        environment.put("HOME", folder.path().toString()); // the cookie is made there
        environment.put("RABBITMQ_NODENAME", "outbox-%d@localhost".formatted(address.port()));
        environment.put("RABBITMQ_NODE_PORT", Integer.toString(address.port()));
        environment.put("RABBITMQ_DIST_PORT", Integer.toString(FreePorts.next()));
        environment.put("ERL_EPMD_PORT", Integer.toString(epmdPort));
        environment.put("ERL_EPMD_ADDRESS", "127.0.0.1");
        environment.put("ERL_FLAGS", "-start_epmd false"); // neither node nor tool may start one that outlives us
        environment.put(
                "RABBITMQ_CONF_ENV_FILE",
                folder.path().resolve("no-environment-file").toString());
        environment.put(
                "RABBITMQ_CONFIG_FILE", folder.path().resolve("rabbitmq.conf").toString());
        environment.put(
                "RABBITMQ_ADVANCED_CONFIG_FILE",
                folder.path().resolve("advanced.config").toString());
        environment.put(
                "RABBITMQ_ENABLED_PLUGINS_FILE",
                folder.path().resolve("enabled_plugins").toString());
        environment.put("RABBITMQ_MNESIA_BASE", folder.path().resolve("data").toString());
        environment.put("RABBITMQ_LOG_BASE", folder.path().resolve("log").toString());
        environment.put("RABBITMQ_PID_FILE", folder.path().resolve("pid").toString());
        environment.put("RUNNING_UNDER_SYSTEMD", "true"); // the script then becomes the node, with the same process id
        return environment;
    }

    private static List<String> withProgram(String program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(program);
        command.addAll(arguments);
        return command;
    }
}
