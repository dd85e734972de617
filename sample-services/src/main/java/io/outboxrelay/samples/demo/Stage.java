package io.outboxrelay.samples.demo;

import io.outboxrelay.samples.orders.OrdersService;
import io.outboxrelay.samples.storefront.StorefrontService;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.Preference;
import io.outboxrelay.testservers.PrivatePostgres;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Everything that runs during the demo: a database server, a broker, two services, two relays. Whatever is still open
 * when this JVM ends, however it ends, ends with it.
 */
final class Stage implements AutoCloseable {

    /** For a demonstration on a small machine: quick to start, modest in memory. */
    private static final Map<String, String> SMALL_JVM =
            Map.of("JDK_JAVA_OPTIONS", "-Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC");

    /** Shorter than the relay's defaults, so that the survivor takes over while one is watching. */
    private static final int LEASE_SECONDS = 6;

    private final DemoSettings settings;
    private final Consumer<String> say;
    private final String password = UUID.randomUUID().toString();
    private final List<Member> relays = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();
    private final List<AutoCloseable> servers = new ArrayList<>();
    private @Nullable TestDatabase ordersDatabase;
    private @Nullable TestDatabase storefrontDatabase;
    private @Nullable TestVirtualHost virtualHost;
    private @Nullable Member orders;
    private @Nullable Member storefront;
    private String broker = "none";

    Stage(DemoSettings settings, Consumer<String> say) {
        this.settings = settings;
        this.say = say;
    }

    void start() {
        try {
            emptyFolder();
            startServers();
            startServices();
            startRelays();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String broker() {
        return broker;
    }

    Ledger ledger() {
        return new Ledger(ordersDatabase().dataSource(), storefrontDatabase().dataSource());
    }

    URI orders() {
        return Objects.requireNonNull(orders).url();
    }

    long duplicatesDropped() {
        return ((Number) Objects.requireNonNull(
                        Objects.requireNonNull(storefront).get("/deliveries").get("duplicates_dropped")))
                .longValue();
    }

    void killOneRelay() {
        Member victim = relays.remove(0);
        members.remove(victim);
        victim.process().kill();
        say.accept(
                "Killed %s with SIGKILL. It stays dead: %s takes its lanes over when their leases end, in %d s at most."
                        .formatted(victim.name(), relays.get(0).name(), LEASE_SECONDS));
    }

    /** A process that ended by itself ends the demo. */
    void checkAlive() {
        members.forEach(Member::checkAlive);
    }

    List<String> directions() {
        List<String> lines = new ArrayList<>();
        lines.add("logs and configuration   " + settings.folder().toAbsolutePath());
        lines.add("orders                   %s/orders   database %s".formatted(orders(), address(ordersDatabase())));
        lines.add("storefront               %s/deliveries   database %s"
                .formatted(Objects.requireNonNull(storefront).url(), address(storefrontDatabase())));
        relays.forEach(relay -> lines.add("%-24s %s/metrics".formatted(relay.name(), relay.url())));
        lines.add("broker                   "
                + Objects.requireNonNull(virtualHost).amqpUri());
        return lines;
    }

    /** Politely first, all at once; then without waiting. */
    @Override
    public void close() {
        members.forEach(member -> member.process().terminate());
        members.forEach(Member::end);
        for (int i = servers.size() - 1; i >= 0; i--) {
            try {
                servers.get(i).close();
            } catch (Exception e) {
                say.accept("Could not end a server: " + e.getMessage());
            }
        }
    }

    private void emptyFolder() throws IOException {
        Files.createDirectories(settings.folder());
        try (DirectoryStream<Path> old = Files.newDirectoryStream(settings.folder(), "{orders,storefront,relay-*}.*")) {
            for (Path file : old) {
                Files.delete(file);
            }
        }
        if (!Files.isRegularFile(settings.relayJar())) {
            throw new DemoFailure(
                    "%s is missing: build it with ./mvnw -q package -DskipTests".formatted(settings.relayJar()));
        }
    }

    private void startServers() {
        say.accept("Starting a database server and a broker.");
        CompletableFuture<PrivateRabbitMq> startingBroker =
                CompletableFuture.supplyAsync(() -> Servers.startPrivateRabbitMq(Preference.INSTALLED_FIRST));
        PrivatePostgres postgres = Servers.startPrivatePostgres(Preference.EMBEDDED_FIRST);
        servers.add(postgres);
        PrivateRabbitMq rabbitMq = joined(startingBroker);
        servers.add(rabbitMq);
        broker = rabbitMq.name();
        ordersDatabase = postgres.newDatabase();
        storefrontDatabase = postgres.newDatabase();
        virtualHost = rabbitMq.newVirtualHost();
        servers.add(virtualHost);
        say.accept("Database server: %s. Broker: %s%s."
                .formatted(
                        postgres.name(),
                        broker,
                        isRabbitMq()
                                ? ""
                                : ", which stands in for RabbitMQ: install rabbitmq-server for the real thing"));
        for (String user : List.of("orders_service", "storefront_service", "orders_relay")) {
            sql("CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(user, password));
        }
    }

    private void startServices() throws IOException {
        say.accept("Starting two services, which install their tables by Flyway: orders, storefront.");
        orders = startService("orders", OrdersService.class, ordersDatabase(), Map.of());
        storefront = startService(
                "storefront",
                StorefrontService.class,
                storefrontDatabase(),
                Map.of(
                        "STOREFRONT_AMQP_URI",
                        Objects.requireNonNull(virtualHost).amqpUri(),
                        "STOREFRONT_QUEUE_TYPE",
                        isRabbitMq() ? "quorum" : "classic"));
        orders.await("/orders", answer -> true);
        storefront.await("/deliveries", answer -> "CONSUMING".equals(answer.get("state")));
    }

    private Member startService(String name, Class<?> main, TestDatabase database, Map<String, String> more)
            throws IOException {
        String prefix = name.toUpperCase(java.util.Locale.ROOT);
        int port = FreePort.next();
        Map<String, String> environment = new java.util.HashMap<>(SMALL_JVM);
        environment.put(prefix + "_DB_URL", database.jdbcUrl());
        environment.put(prefix + "_DB_USER", name + "_service");
        environment.put(prefix + "_DB_PASSWORD", password);
        environment.put(prefix + "_DB_ADMIN_USER", database.user());
        environment.put(prefix + "_DB_ADMIN_PASSWORD", database.password());
        environment.put(prefix + "_PORT", String.valueOf(port));
        environment.putAll(more);
        Path log = settings.folder().resolve(name + ".log");
        return member(name, port, log, JavaProcess.startClass(main, List.of(), environment, log));
    }

    private void startRelays() throws IOException {
        say.accept("Starting two relays.");
        sql("GRANT outbox_relay TO orders_relay");
        startRelay("relay-1");
        startRelay("relay-2");
        for (Member relay : relays) {
            relay.await("/health/ready", answer -> true);
        }
    }

    private void startRelay(String name) throws IOException {
        int port = FreePort.next();
        Path configuration = settings.folder().resolve(name + ".yaml");
        Files.writeString(configuration, """
                instance: %s
                sources:
                  - name: orders
                    url: %s
                    user: orders_relay
                    password: ${ORDERS_DB_PASSWORD}
                    statement-timeout: 2s
                broker:
                  uri: ${BROKER_URI}
                  exchange: events
                publish:
                  confirm-deadline: 2s
                lease:
                  duration: %ds
                http:
                  host: 127.0.0.1
                  port: %d
                """.formatted(name, ordersDatabase().jdbcUrl(), LEASE_SECONDS, port));
        Map<String, String> environment = new java.util.HashMap<>(SMALL_JVM);
        environment.put("ORDERS_DB_PASSWORD", password);
        environment.put("BROKER_URI", Objects.requireNonNull(virtualHost).amqpUri());
        Path log = settings.folder().resolve(name + ".log");
        List<String> arguments = List.of("run", "--config", configuration.toString());
        relays.add(member(name, port, log, JavaProcess.startJar(settings.relayJar(), arguments, environment, log)));
    }

    private Member member(String name, int port, Path log, JavaProcess process) {
        Member member = new Member(name, URI.create("http://127.0.0.1:" + port), log, process);
        members.add(member);
        return member;
    }

    private boolean isRabbitMq() {
        return broker.startsWith("rabbitmq");
    }

    private void sql(String statement) {
        JdbcClient.create(ordersDatabase().dataSource()).sql(statement).update();
    }

    private TestDatabase ordersDatabase() {
        return Objects.requireNonNull(ordersDatabase);
    }

    private TestDatabase storefrontDatabase() {
        return Objects.requireNonNull(storefrontDatabase);
    }

    private static String address(TestDatabase database) {
        return "postgresql://%s:%s@%s:%d/%s"
                .formatted(database.user(), database.password(), database.host(), database.port(), database.name());
    }

    private static <T> T joined(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw new DemoFailure(Objects.requireNonNull(e.getCause()).getMessage(), e);
        }
    }
}
