package io.outboxrelay.samples.demo;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.FreePorts;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.Preference;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that runs: database servers, a broker, the four services, two relays. Whatever is still open when this JVM
 * ends, however it ends, ends with it.
 */
final class Stage implements AutoCloseable {

    /** For a demonstration on a small machine: quick to start, modest in memory. */
    private static final Map<String, String> SMALL_JVM =
            Map.of("JDK_JAVA_OPTIONS", "-Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto");

    /** Shorter than the relay's defaults, so that the survivor takes over while one is watching. */
    private static final int LEASE_SECONDS = 6;

    private static final Duration LONGEST_COMMAND = Duration.ofMinutes(2);

    /** How services share database servers. */
    enum Houses {
        /** One server of each kind: less to start. The databases are separate all the same. */
        SHARED,
        /** One server for each service, so that one can be stopped alone. */
        OWN
    }

    private final DemoSettings.Place place;
    private final Houses houses;
    private final Map<String, String> environment;
    private final Consumer<String> say;
    private final List<AutoCloseable> servers = new ArrayList<>();
    private final Map<Service, PrivateServer<?>> databases = new EnumMap<>(Service.class);
    private final Map<Service, Home> homes = new EnumMap<>(Service.class);
    private final Map<Service, Member> services = new EnumMap<>(Service.class);
    private final Map<Service, Integer> ports = new EnumMap<>(Service.class);
    private final List<Member> relays = new ArrayList<>();
    private final Set<Member> killed = new HashSet<>();
    private final Set<Service> catchingUp = EnumSet.noneOf(Service.class);
    private @Nullable PrivateRabbitMq rabbitMq;
    private @Nullable TestVirtualHost virtualHost;

    /**
     * Nothing is started yet.
     *
     * @param environment additional variables for the services
     * @param say receives progress messages for people
     */
    Stage(DemoSettings.Place place, Houses houses, Map<String, String> environment, Consumer<String> say) {
        this.place = place;
        this.houses = houses;
        this.environment = environment;
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

    String brokerName() {
        return Objects.requireNonNull(rabbitMq).name();
    }

    PrivateRabbitMq broker() {
        return Objects.requireNonNull(rabbitMq);
    }

    TestVirtualHost virtualHost() {
        return Objects.requireNonNull(virtualHost);
    }

    Ledger ledger() {
        return new Ledger(homes);
    }

    Home home(Service service) {
        return Objects.requireNonNull(homes.get(service));
    }

    /** The server of the service's database. Stop it only if it serves no other service. */
    PrivateServer<?> server(Service service) {
        return Objects.requireNonNull(databases.get(service));
    }

    Member member(Service service) {
        return Objects.requireNonNull(services.get(service));
    }

    URI url(Service service) {
        return member(service).url();
    }

    /** Those that are alive. */
    List<Member> relays() {
        return relays.stream().filter(Member::isAlive).toList();
    }

    long duplicatesDropped() {
        return ((Number) Objects.requireNonNull(
                        member(Service.STOREFRONT).get("/deliveries").get("duplicates_dropped")))
                .longValue();
    }

    void killOneRelay() {
        Member victim = relays().get(0);
        killed.add(victim);
        victim.kill();
        say.accept("Killed %s with SIGKILL. It stays down: %s takes over its lanes when their leases end, within %d s."
                .formatted(victim.name(), relays().get(0).name(), LEASE_SECONDS));
    }

    /** Returns when the service is ready for work. */
    void awaitReady(Service service) {
        member(service).await("/actuator/health", answer -> "UP".equals(answer.get("status")));
        if (service == Service.STOREFRONT) {
            member(service).await("/deliveries", answer -> "CONSUMING".equals(answer.get("state")));
        }
    }

    /** A process that exits unexpectedly ends the demo. */
    void checkAlive() {
        members().filter(member -> !killed.contains(member)).forEach(Member::checkAlive);
    }

    /** Those that have ended, however they ended. */
    List<Member> ended() {
        return members().filter(member -> !member.isAlive()).toList();
    }

    /**
     * Stops a service, and starts it so that the history comes first.
     *
     * @param stopped what to do in between
     */
    void startToCatchUp(Service service, Runnable stopped) {
        Member member = member(service);
        member.terminate();
        member.end();
        stopped.run();
        catchingUp.add(service);
        startAgain(member);
        awaitReady(service);
    }

    /** Starts a process again that has ended. It has another id then, and is not ready at once. */
    void startAgain(Member ended) {
        ended.startAgain();
        killed.remove(ended);
        listProcesses();
    }

    private Stream<Member> members() {
        return Stream.concat(services.values().stream(), relays.stream());
    }

    /**
     * Sends events of a service again, as a person would: by the relay's command and with an admin's login, because the
     * relays' own login may not.
     *
     * @param command replay or subscribe
     * @param output what the command prints
     * @param arguments which events, how, and why
     * @return its exit status, empty if it did not end in time
     */
    OptionalInt sendAgain(String command, Service source, Path output, String... arguments) {
        try {
            Path password = place.folder().resolve(source.label() + ".admin-password");
            Files.writeString(password, home(source).database().password());
            List<String> all = new ArrayList<>(List.of(
                    command,
                    "--config",
                    configuration("relay-1").toString(),
                    "--source",
                    source.label(),
                    "--user",
                    home(source).database().user(),
                    "--password-file",
                    password.toString()));
            all.addAll(List.of(arguments));
            try (JavaProcess process = JavaProcess.startJar(place.relayJar(), all, relayEnvironment(), output)) {
                return process.waitFor(LONGEST_COMMAND);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }

    /** Where to find whatever runs. */
    List<String> directions() {
        List<String> lines = new ArrayList<>();
        if (services.containsKey(Service.STOREFRONT)) {
            lines.add("the shop's page          %s/".formatted(url(Service.STOREFRONT)));
        }
        services.forEach((service, member) -> lines.add("%-24s %s/v3/api-docs   process %d   database %s"
                .formatted(
                        member.name(), member.url(), member.pid(), home(service).address())));
        relays().forEach(relay ->
                lines.add("%-24s %s/metrics   process %d".formatted(relay.name(), relay.url(), relay.pid())));
        if (virtualHost != null) {
            lines.add("broker                   " + virtualHost.amqpUri());
        }
        lines.add("logs and configuration   " + place.folder().toAbsolutePath());
        relays().stream().findFirst().ifPresent(relay -> lines.addAll(waysToBreak(relay)));
        return lines;
    }

    private static List<String> waysToBreak(Member relay) {
        return List.of(
                "Break something, and watch it on the page, which has such commands for every process:",
                "kill a relay             kill -9 %d      the other one takes over its lanes within %d s"
                        .formatted(relay.pid(), LEASE_SECONDS),
                "freeze it, and resume    kill -STOP %1$d   kill -CONT %1$d".formatted(relay.pid()));
    }

    /** First SIGTERM for all at once, then SIGKILL. */
    @Override
    public void close() {
        members().forEach(Member::terminate);
        members().forEach(Member::end);
        for (int i = servers.size() - 1; i >= 0; i--) {
            try {
                servers.get(i).close();
            } catch (Exception e) {
                say.accept("Could not stop a server: " + e.getMessage());
            }
        }
    }

    private void emptyFolder() throws IOException {
        Files.createDirectories(place.folder());
        String names = Stream.of(Service.values()).map(Service::label).collect(Collectors.joining(","));
        try (DirectoryStream<Path> old =
                Files.newDirectoryStream(place.folder(), "{" + names + ",relay-*,processes}.*")) {
            for (Path file : old) {
                Files.delete(file);
            }
        }
        if (!Files.isRegularFile(place.relayJar())) {
            throw new DemoFailure(
                    "%s is missing: build it with ./mvnw -q package -DskipTests".formatted(place.relayJar()));
        }
    }

    private void startServers() {
        say.accept("Starting database servers and a broker.");
        CompletableFuture<PrivateRabbitMq> startingBroker =
                CompletableFuture.supplyAsync(() -> Servers.startPrivateRabbitMq(Preference.INSTALLED_FIRST));
        Map<Service, CompletableFuture<PrivateServer<?>>> starting = new EnumMap<>(Service.class);
        Map<DatabaseKind, CompletableFuture<PrivateServer<?>>> shared = new EnumMap<>(DatabaseKind.class);
        for (Service service : Service.values()) {
            starting.put(
                    service,
                    houses == Houses.OWN
                            ? startDatabase(service.kind())
                            : shared.computeIfAbsent(service.kind(), Stage::startDatabase));
        }
        rabbitMq = joined(startingBroker);
        servers.add(rabbitMq);
        virtualHost = rabbitMq.newVirtualHost();
        servers.add(virtualHost);
        starting.forEach((service, server) -> databases.put(service, joined(server)));
        databases.values().stream().distinct().forEach(servers::add);
        databases.forEach((service, server) -> homes.put(service, new Home(service, server.newDatabase())));
        say.accept("Databases: %s. Broker: %s%s."
                .formatted(
                        databases.values().stream()
                                .map(PrivateServer::name)
                                .distinct()
                                .collect(Collectors.joining(", ")),
                        brokerName(),
                        isRabbitMq() ? "" : ", an embedded replacement: install rabbitmq-server to use RabbitMQ"));
        homes.values().forEach(Home::prepare);
        if (!isRabbitMq()) {
            Stream.of(Service.values())
                    .flatMap(service -> service.queues().stream())
                    .forEach(this::declareClassic);
        }
    }

    private static CompletableFuture<PrivateServer<?>> startDatabase(DatabaseKind kind) {
        return CompletableFuture.supplyAsync(() -> kind == DatabaseKind.MARIADB
                ? Servers.startPrivateMariaDb(Preference.EMBEDDED_FIRST)
                : Servers.startPrivatePostgres(Preference.EMBEDDED_FIRST));
    }

    /** Uses no arguments that only RabbitMQ knows. */
    private void declareClassic(ConsumerQueue queue) {
        try (Connection connection = virtualHost().connectionFactory().newConnection("demo");
                Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue.name(), true, false, false, Map.of());
            for (ConsumerQueue.Binding binding : queue.bindings()) {
                channel.exchangeDeclare(binding.exchange(), BuiltinExchangeType.TOPIC, true);
                channel.queueBind(queue.name(), binding.exchange(), binding.routingKey());
            }
        } catch (IOException | TimeoutException e) {
            throw new DemoFailure("The queue %s could not be declared: %s".formatted(queue.name(), e.getMessage()), e);
        }
    }

    private void startServices() throws IOException {
        say.accept("Starting four services, which create their tables with Flyway: %s."
                .formatted(Stream.of(Service.values()).map(Service::label).collect(Collectors.joining(", "))));
        for (Service service : Service.values()) {
            ports.put(service, FreePorts.next());
        }
        for (Service service : Service.values()) {
            Path log = place.folder().resolve(service.label() + ".log");
            services.put(
                    service,
                    new Member(
                            service.label(),
                            Objects.requireNonNull(ports.get(service)),
                            log,
                            () -> JavaProcess.startClass(service.main(), List.of(), environment(service), log)));
        }
        for (Service service : Service.values()) {
            awaitReady(service);
        }
    }

    /** For the page. Replaces the whole file at once, because the storefront reads it at any time. */
    private void listProcesses() {
        String list = Stream.concat(
                        services.values().stream().map(member -> listed("SERVICE", member)),
                        relays.stream().map(member -> listed("RELAY", member)))
                .collect(Collectors.joining(",\n", "[\n", "\n]\n"));
        try {
            Path draft = Files.writeString(place.folder().resolve("processes.draft"), list);
            Files.move(draft, processes(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String listed(String kind, Member member) {
        return "  {\"name\": \"%s\", \"kind\": \"%s\", \"url\": \"%s\", \"pid\": %d}"
                .formatted(member.name(), kind, member.url(), member.pid());
    }

    private Path processes() {
        return place.folder().resolve("processes.json").toAbsolutePath();
    }

    private Map<String, String> environment(Service service) {
        Home home = home(service);
        Map<String, String> all = new HashMap<>(SMALL_JVM);
        all.put(service.variable("DB_URL"), home.database().jdbcUrl());
        all.put(service.variable("DB_USER"), home.serviceUser());
        all.put(service.variable("DB_PASSWORD"), home.password());
        all.put(service.variable("DB_ADMIN_USER"), home.database().user());
        all.put(service.variable("DB_ADMIN_PASSWORD"), home.database().password());
        all.put(service.variable("PORT"), String.valueOf(ports.get(service)));
        all.put(service.variable("AMQP_URI"), virtualHost().amqpUri());
        all.put(service.variable("PROCESSES"), processes().toString());
        all.put(service.variable("CATCH_UP"), String.valueOf(catchingUp.contains(service)));
        // The audit's tables already exist, so the service's own migrations need a baseline.
        all.put("SPRING_FLYWAY_BASELINE_ON_MIGRATE", "true");
        all.put("SPRING_FLYWAY_BASELINE_VERSION", "0");
        all.put("SHOP_QUEUES_DECLARE", String.valueOf(isRabbitMq()));
        for (Service other : Service.SOURCES) {
            all.put(service.variable(other.name() + "_URL"), "http://127.0.0.1:" + ports.get(other));
        }
        all.putAll(environment);
        return all;
    }

    private void startRelays() throws IOException {
        say.accept("Starting two relays.");
        startRelay("relay-1");
        startRelay("relay-2");
        listProcesses();
        for (Member relay : relays) {
            relay.await("/health/ready", answer -> true);
        }
    }

    private void startRelay(String name) throws IOException {
        int port = FreePorts.next();
        Files.writeString(configuration(name), """
                instance: %s
                sources:
                %s
                schemas:
                  catalogue: %s
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
                """.formatted(
                        name,
                        Service.SOURCES.stream().map(this::source).collect(Collectors.joining("\n")),
                        place.contracts().toAbsolutePath(),
                        LEASE_SECONDS,
                        port));
        Path log = place.folder().resolve(name + ".log");
        List<String> arguments = List.of("run", "--config", configuration(name).toString());
        relays.add(new Member(
                name, port, log, () -> JavaProcess.startJar(place.relayJar(), arguments, relayEnvironment(), log)));
    }

    private Path configuration(String relay) {
        return place.folder().resolve(relay + ".yaml");
    }

    private String source(Service service) {
        return """
                  - name: %s
                    url: %s
                    user: %s
                    password: ${%s}
                    statement-timeout: 2s
                    schemas: catalogue
                    retain: 1d""".formatted(
                        service.label(),
                        home(service).database().jdbcUrl(),
                        home(service).relayUser(),
                        service.variable("DB_PASSWORD"));
    }

    private Map<String, String> relayEnvironment() {
        Map<String, String> all = new HashMap<>(SMALL_JVM);
        Service.SOURCES.forEach(
                source -> all.put(source.variable("DB_PASSWORD"), home(source).password()));
        all.put("BROKER_URI", virtualHost().amqpUri());
        return all;
    }

    /** Whether the broker knows quorum queues. */
    boolean isRabbitMq() {
        return brokerName().startsWith("rabbitmq");
    }

    private static <T> T joined(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw new DemoFailure(Objects.requireNonNull(e.getCause()).getMessage(), e);
        }
    }
}
