package io.outboxrelay.testservers;

import java.io.IOException;
import java.net.URL;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.qpid.server.SystemLauncher;
import org.apache.qpid.server.SystemLauncherListener.DefaultSystemLauncherListener;
import org.apache.qpid.server.model.Broker;
import org.apache.qpid.server.model.SystemConfig;
import org.apache.qpid.server.model.VirtualHostNode;

/**
 * Apache Qpid in this JVM, with everything in memory: for a demonstration without RabbitMQ. It speaks AMQP 0-9-1 but is
 * not RabbitMQ: nothing about publisher confirms, queue types or policies may be concluded from it, and it cannot be
 * killed without killing this JVM.
 */
final class EmbeddedBroker implements ServerControl, BrokerControl {
    private static final String USER = "guest";

    private final SystemLauncher launcher;
    private final Broker<?> broker;
    private final PrivateFolder folder;

    private EmbeddedBroker(SystemLauncher launcher, Broker<?> broker, PrivateFolder folder) {
        this.launcher = launcher;
        this.broker = broker;
        this.folder = folder;
    }

    /**
     * Starts it on a free port of the loopback interface.
     *
     * @throws Exception when it cannot start
     */
    static PrivateRabbitMq launch() throws Exception {
        ServerAddress address = new ServerAddress("127.0.0.1", FreePorts.next(), USER, USER);
        PrivateFolder folder = PrivateFolder.create("outbox-qpid-");
        AtomicReference<SystemConfig<?>> system = new AtomicReference<>();
        SystemLauncher launcher = new SystemLauncher(new Listener(system));
        launcher.startup(configuration(address, folder));
        Broker<?> broker = (Broker<?>) system.get().getContainer();
        EmbeddedBroker embedded = new EmbeddedBroker(launcher, broker, folder);
        AtExit.close(embedded);
        return new PrivateRabbitMq(
                new RabbitMq("embedded-qpid", address, embedded, false),
                embedded,
                new PrivateRabbitMq.TlsPorts(address.port(), address.port()));
    }

    private static Map<String, Object> configuration(ServerAddress address, PrivateFolder folder) throws IOException {
        URL initial = Objects.requireNonNull(EmbeddedBroker.class.getResource("embedded-broker.json"));
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("type", "Memory");
        configuration.put("initialConfigurationLocation", initial.toExternalForm());
        configuration.put("startupLoggedToSystemOut", false);
        configuration.put(
                "context",
                Map.of(
                        "outbox.port",
                        Integer.toString(address.port()),
                        "qpid.work_dir",
                        folder.path().toString()));
        return configuration;
    }

    @Override
    public boolean isRunning() {
        return true; // it cannot be stopped
    }

    @Override
    public void changeVirtualHosts(List<String> create, List<String> delete) {
        create.forEach(name -> broker.createChild(
                VirtualHostNode.class,
                Map.of("name", name, "type", "Memory", "virtualHostInitialConfiguration", "{\"type\":\"Memory\"}")));
        broker.getChildren(VirtualHostNode.class).stream()
                .filter(node -> delete.contains(node.getName()))
                .forEach(node -> node.delete());
    }

    @Override
    public String run(String... arguments) {
        throw unsupported("run rabbitmqctl " + arguments[0]);
    }

    @Override
    public void start() {
        throw unsupported("be started again");
    }

    @Override
    public void stop() {
        throw unsupported("be stopped and keep its data");
    }

    @Override
    public void kill() {
        throw unsupported("be killed");
    }

    @Override
    public void freeze() {
        throw unsupported("be frozen");
    }

    @Override
    public void thaw() {
        throw unsupported("be thawed");
    }

    @Override
    public void close() {
        AtExit.forget(this);
        launcher.shutdown();
        try {
            folder.delete();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "The files of the embedded broker could not be removed: " + e.getMessage(), e);
        }
    }

    private static UnsupportedOperationException unsupported(String what) {
        return new UnsupportedOperationException(
                ("The embedded broker runs in this JVM and is for demonstrations: it cannot %s."
                                + " Install RabbitMQ or start a container engine.")
                        .formatted(what));
    }

    @Override
    public String toString() {
        return "the embedded broker";
    }

    /** Keeps what the launcher does not give out. */
    private static final class Listener extends DefaultSystemLauncherListener {
        private final AtomicReference<SystemConfig<?>> system;

        private Listener(AtomicReference<SystemConfig<?>> system) {
            this.system = system;
        }

        @Override
        public void onContainerResolve(SystemConfig<?> config) {
            system.set(config);
        }
    }
}
