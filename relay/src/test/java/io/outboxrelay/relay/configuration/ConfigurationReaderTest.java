package io.outboxrelay.relay.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.outboxrelay.relay.configuration.ConfigurationException.Fault;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationReaderTest {

    private static final String SMALLEST = """
            sources:
              - name: orders
                url: jdbc:postgresql://localhost:5432/orders
                user: outbox_relay
            broker:
              uri: amqp://guest:guest@localhost:5672/%2f
            """;

    @TempDir
    private Path folder;

    @Test
    void the_smallest_file_leaves_everything_else_at_its_default() {
        Configuration configuration = read(SMALLEST).configuration();

        assertThat(configuration.sources())
                .containsExactly(new SourceSettings(
                        "orders",
                        "jdbc:postgresql://localhost:5432/orders",
                        "outbox_relay",
                        "",
                        "public",
                        10,
                        Duration.ofSeconds(5),
                        SourceSettings.Wakeup.NONE,
                        null));
        assertThat(configuration.broker())
                .isEqualTo(new BrokerSettings(
                        URI.create("amqp://guest:guest@localhost:5672/%2f"),
                        "events",
                        "{aggregate_type}.{event}",
                        BrokerSettings.Topology.DECLARE,
                        false,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        null,
                        null,
                        false));
        assertThat(configuration.lane())
                .isEqualTo(new LaneSettings(1000, 8 << 20, 100, 1000, 16 << 20, 16 << 20, Duration.ofSeconds(7)));
        assertThat(configuration.failures())
                .isEqualTo(new FailurePolicy(
                        10,
                        Duration.ofMinutes(5),
                        true,
                        Duration.ofMillis(500),
                        Duration.ofSeconds(30),
                        ByRoute.always(OnPark.BLOCK),
                        ByRoute.always(Unroutable.PARK)));
        assertThat(configuration.lease()).isEqualTo(new LeaseSettings(Duration.ofSeconds(15), Duration.ofSeconds(1)));
        assertThat(configuration.poll()).isEqualTo(new PollSettings(Duration.ofMillis(1), Duration.ofMillis(50)));
        assertThat(configuration.http()).isEqualTo(new HttpSettings("0.0.0.0", 8080, HttpSettings.Details.LOOPBACK));
        assertThat(configuration.log()).isEqualTo(new LogSettings(LogSettings.Format.TEXT, LogSettings.Level.INFO));
        assertThat(configuration.gracePeriod()).isEqualTo(Duration.ofSeconds(20));
    }

    @Test
    void an_instance_without_a_name_gets_another_one_at_every_start() {
        assertThat(read(SMALLEST).configuration().instance())
                .matches("[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{8}")
                .isNotEqualTo(read(SMALLEST).configuration().instance());
    }

    private static final Map<String, String> ANOTHER = Map.ofEntries(
            Map.entry("instance", "relay-7"),
            Map.entry("sources[0].name", "shipping"),
            Map.entry("sources[0].url", "jdbc:postgresql://db/shipping?sslmode=verify-full"),
            Map.entry("sources[0].user", "u"),
            Map.entry("sources[0].password", "0123"),
            Map.entry("sources[0].schema", "events"),
            Map.entry("sources[0].pool-size", "3"),
            Map.entry("sources[0].statement-timeout", "2s"),
            Map.entry("sources[0].wakeup", "notify"),
            Map.entry("sources[0].retain", "7d"),
            Map.entry("sources[0].schemas", "registry"),
            Map.entry("inboxes[0].name", "billing"),
            Map.entry("inboxes[0].url", "jdbc:mariadb://db/billing?sslMode=verify-full"),
            Map.entry("inboxes[0].user", "i"),
            Map.entry("inboxes[0].password", "0456"),
            Map.entry("inboxes[0].schema", "inbox"),
            Map.entry("schemas.catalogue", "/contracts"),
            Map.entry("schemas.subject", "shop.{event_type}"),
            Map.entry("schemas.registry.url", "https://registry/api"),
            Map.entry("schemas.registry.user", "r"),
            Map.entry("schemas.registry.password", "known"),
            Map.entry("schemas.registry.tls.trust-store", "/etc/ca.pem"),
            Map.entry("schemas.registry.tls.trust-store-password", "sure"),
            Map.entry("schemas.registry.timeout", "4s"),
            Map.entry("broker.uri", "amqps://a:b@broker:5671/shop"),
            Map.entry("broker.exchange", "{aggregate_type}"),
            Map.entry("broker.routing-key", "{event_type}.{aggregate_id}"),
            Map.entry("broker.topology", "check"),
            Map.entry("broker.declare-exchanges", "order, invoice.sent"),
            Map.entry("broker.cloudevents", "true"),
            Map.entry("broker.heartbeat", "PT7S"),
            Map.entry("broker.connect-timeout", "1m"),
            Map.entry("broker.tls.trust-store", "/etc/trust.p12"),
            Map.entry("broker.tls.trust-store-password", "trusted"),
            Map.entry("broker.tls.insecure-skip-verification", "true"),
            Map.entry("publish.batch-events", "10"),
            Map.entry("publish.batch-bytes", "11B"),
            Map.entry("publish.events-per-aggregate", "12"),
            Map.entry("publish.window-events", "13"),
            Map.entry("publish.window-bytes", "14KiB"),
            Map.entry("publish.max-event-bytes", "15KiB"),
            Map.entry("publish.confirm-deadline", "16s"),
            Map.entry("broker.management-uri", "https://m:n@broker:15671"),
            Map.entry("retry.max-attempts", "19"),
            Map.entry("retry.park-after", "20m"),
            Map.entry("retry.resume", "false"),
            Map.entry("retry.on-park", "continue, Invoice/*=block"),
            Map.entry("retry.unroutable", "park,Cart/CartEmptied=drop, */Seen=drop"),
            Map.entry("retry.first-backoff", "17ms"),
            Map.entry("retry.longest-backoff", "18m"),
            Map.entry("lease.duration", "60s"),
            Map.entry("lease.heartbeat", "3s"),
            Map.entry("poll.min", "1ms"),
            Map.entry("poll.max", "2s"),
            Map.entry("drain.grace-period", "1h"),
            Map.entry("http.host", "127.0.0.1"),
            Map.entry("http.port", "0"),
            Map.entry("http.details", "everyone"),
            Map.entry("log.format", "json"),
            Map.entry("log.level", "debug"));

    @Test
    void every_key_reaches_its_setting_and_none_is_forgotten_here() {
        assertThat(ANOTHER.keySet())
                .containsExactlyInAnyOrderElementsOf(Keys.ALL.stream()
                        .filter(key -> key != Keys.REGISTRY_TOKEN) // which cannot be given beside a user
                        .map(key -> key.path(0))
                        .toList());
        List<String> assignments = ANOTHER.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toList();

        ConfigurationReader reader = new ConfigurationReader(null, assignments, Map.of());
        Configuration configuration = reader.configuration();

        assertThat(reader.databases().inboxes())
                .containsExactly(new DatabaseLogin(
                        "billing", "jdbc:mariadb://db/billing?sslMode=verify-full", "i", "0456", "inbox"));
        assertThat(configuration)
                .isEqualTo(new Configuration(
                        "relay-7",
                        List.of(new SourceSettings(
                                "shipping",
                                "jdbc:postgresql://db/shipping?sslmode=verify-full",
                                "u",
                                "0123",
                                "events",
                                3,
                                Duration.ofSeconds(2),
                                SourceSettings.Wakeup.NOTIFY,
                                Duration.ofDays(7),
                                new GateSettings(
                                        GateSettings.Mode.REGISTRY,
                                        Path.of("/contracts"),
                                        "shop.{event_type}",
                                        new RegistrySettings(
                                                        URI.create("https://registry/api"),
                                                        new Credentials.Basic("r", "known"))
                                                .patient(Duration.ofSeconds(4), 1)
                                                .trusting(Path.of("/etc/ca.pem"), "sure")))),
                        new BrokerSettings(
                                URI.create("amqps://a:b@broker:5671/shop"),
                                "{aggregate_type}",
                                "{event_type}.{aggregate_id}",
                                BrokerSettings.Topology.CHECK,
                                Set.of("order", "invoice.sent"),
                                true,
                                Duration.ofSeconds(7),
                                Duration.ofMinutes(1),
                                Path.of("/etc/trust.p12"),
                                "trusted",
                                true,
                                URI.create("https://m:n@broker:15671")),
                        new LaneSettings(10, 11, 12, 13, 14 << 10, 15 << 10, Duration.ofSeconds(16)),
                        new FailurePolicy(
                                19,
                                Duration.ofMinutes(20),
                                false,
                                Duration.ofMillis(17),
                                Duration.ofMinutes(18),
                                new ByRoute<>(
                                        OnPark.CONTINUE, List.of(new ByRoute.Rule<>("Invoice", "*", OnPark.BLOCK))),
                                new ByRoute<>(
                                        Unroutable.PARK,
                                        List.of(
                                                new ByRoute.Rule<>("Cart", "CartEmptied", Unroutable.DROP),
                                                new ByRoute.Rule<>("*", "Seen", Unroutable.DROP)))),
                        new LeaseSettings(Duration.ofSeconds(60), Duration.ofSeconds(3)),
                        new PollSettings(Duration.ofMillis(1), Duration.ofSeconds(2)),
                        new HttpSettings("127.0.0.1", 0, HttpSettings.Details.EVERYONE),
                        new LogSettings(LogSettings.Format.JSON, LogSettings.Level.DEBUG),
                        Duration.ofHours(1)));
    }

    @Test
    void a_registry_is_told_who_asks_by_a_token_too() {
        Configuration configuration = read(
                        SMALLEST,
                        Map.of(),
                        "sources.orders.schemas=registry",
                        "schemas.registry.url=http://registry",
                        "schemas.registry.token=t")
                .configuration();

        assertThat(configuration.sources().get(0).schemas().registry())
                .isEqualTo(new RegistrySettings(URI.create("http://registry"), new Credentials.Bearer("t"))
                        .patient(Duration.ofSeconds(2), 1));
    }

    @Test
    void a_token_that_cannot_be_sent_is_told_of_without_showing_it() {
        assertThatThrownBy(() -> read(
                                SMALLEST,
                                Map.of(),
                                "sources.orders.schemas=registry",
                                "schemas.registry.url=http://registry",
                                "schemas.registry.token=not-to-be-seen\u0001")
                        .configuration())
                .hasMessageContaining("schemas.registry.token")
                .hasMessageContaining("not visible ASCII")
                .hasMessageNotContaining("not-to-be-seen");
    }

    @Test
    void a_gate_that_is_off_is_written_as_yaml_writes_it() {
        assertThat(read(SMALLEST.replace("user:", "schemas: off\n    user:"), Map.of())
                        .configuration()
                        .sources()
                        .get(0)
                        .schemas())
                .isEqualTo(GateSettings.OFF);
    }

    @Test
    void schemas_that_can_be_found_nowhere_and_credentials_that_contradict_each_other_are_faults() {
        assertThatThrownBy(() -> read(
                                SMALLEST,
                                Map.of(),
                                "sources.orders.schemas=registry",
                                "schemas.registry.token=t",
                                "schemas.registry.user=u")
                        .configuration())
                .hasMessageContaining("sources[0].schemas")
                .hasMessageContaining("needs schemas.registry.url")
                .hasMessageContaining("together with a user");
        assertThatThrownBy(() -> read(
                                SMALLEST,
                                Map.of(),
                                "sources.orders.schemas=catalogue",
                                "schemas.registry.password=secret-word",
                                "schemas.registry.url=https://me:secret-word@registry")
                        .configuration())
                .hasMessageContaining("needs schemas.catalogue")
                .hasMessageContaining("without a user")
                .hasMessageContaining("contains a user or password")
                .hasMessageNotContaining("secret-word");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"maybe", "Invoice/*=block", "block, Invoice=continue", "block, Invoice/*=maybe", "block,", ""})
    void a_choice_by_route_that_cannot_be_read_is_a_fault_that_shows_how_to_write_it(String text) {
        assertThatThrownBy(() -> new ConfigurationReader(
                                null, List.of("broker.uri=amqp://b", "retry.on-park=" + text), Map.of())
                        .configuration())
                .hasMessageContaining("retry.on-park")
                .hasMessageContaining("Invoice/InvoiceSent=continue");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "broker.uri=amqp://b/           | names the virtual host with the empty name. Leave the slash out, or"
                        + " write /%2f",
                "broker.uri=amqp://b:5672/a/b   | more than one slash after the host. Write %2f",
                "broker.declare-exchanges=a,,b  | must be names of exchanges, separated by commas",
                "broker.declare-exchanges=order | needs a broker.exchange that is a template"
            })
    void what_a_broker_would_misunderstand_is_a_fault_that_says_what_to_write(String assignment, String words) {
        assertThatThrownBy(() -> new ConfigurationReader(null, List.of("broker.exchange=events", assignment), Map.of())
                        .configuration())
                .hasMessageContaining(words);
    }

    @Test
    void the_environment_alone_is_enough() {
        Map<String, String> environment = ANOTHER.entrySet().stream()
                .collect(
                        Collectors.toMap(entry -> "OUTBOX_RELAY_" + Key.variable(entry.getKey()), Map.Entry::getValue));
        assertThat(environment).containsEntry("OUTBOX_RELAY_SOURCES_0_POOL_SIZE", "3");

        Configuration fromEnvironment = new ConfigurationReader(null, List.of(), environment).configuration();

        List<String> assignments = ANOTHER.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toList();
        assertThat(fromEnvironment).isEqualTo(new ConfigurationReader(null, assignments, Map.of()).configuration());
    }

    @Test
    void a_source_can_be_made_by_variables_with_its_name() {
        Configuration configuration = new ConfigurationReader(
                        null,
                        List.of(),
                        Map.of(
                                "OUTBOX_RELAY_BROKER_URI", "amqp://broker",
                                "OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD", "p1",
                                "OUTBOX_RELAY_SOURCES_ORDERS_URL", "jdbc:postgresql://db/orders",
                                "OUTBOX_RELAY_SOURCES_ORDERS_USER", "u1"))
                .configuration();

        assertThat(configuration.sources()).singleElement().satisfies(source -> {
            assertThat(source.name()).isEqualTo("orders");
            assertThat(source.password()).isEqualTo("p1");
        });
    }

    @Test
    void an_inbox_is_made_by_a_file_or_by_variables_with_its_name_and_found_by_it() {
        ConfigurationReader reader = read(
                SMALLEST + "inboxes:\n  - name: crm\n    url: jdbc:postgresql://localhost/crm\n    user: u\n",
                Map.of(
                        "OUTBOX_RELAY_INBOXES_BILLING_URL", "jdbc:mysql://localhost/billing",
                        "OUTBOX_RELAY_INBOXES_BILLING_USER", "b",
                        "OUTBOX_RELAY_INBOXES_CRM_PASSWORD", "p"),
                "inboxes.crm.schema=events");

        assertThat(reader.databases().inboxes())
                .containsExactly(
                        new DatabaseLogin("crm", "jdbc:postgresql://localhost/crm", "u", "p", "events"),
                        new DatabaseLogin("billing", "jdbc:mysql://localhost/billing", "b", "", "public"));
        assertThat(reader.configuration().sources()).as("only they are relayed").hasSize(1);
        assertThat(reader.effectiveYaml()).contains("inboxes:\n  - name: crm  # relay.yaml line 8\n");
    }

    @Test
    void commands_about_consumers_need_no_source_and_the_relay_needs_one() {
        ConfigurationReader reader = read("inboxes:\n  - name: crm\n    url: jdbc:postgresql:crm\n    user: u\n");

        assertThat(reader.databases().sources()).isEmpty();
        assertThat(reader.databases().inboxes()).hasSize(1);
        assertThat(catchThrowableOfType(ConfigurationException.class, reader::sources)
                        .faults())
                .extracting(Fault::key)
                .containsExactly("sources");
        assertThat(catchThrowableOfType(
                                ConfigurationException.class,
                                () -> new ConfigurationReader(null, List.of(), Map.of()).databases())
                        .faults())
                .extracting(Fault::key)
                .containsExactly("sources");
    }

    @Test
    void all_faults_of_inboxes_are_reported_together() {
        String file = SMALLEST + """
                inboxes:
                  - name: orders
                    url: jdbc:postgresql://localhost:5432/orders
                    usr: u
                  - name: crm
                    url: jdbc:oracle:crm
                    user: u
                    pool-size: 3
                """;

        assertThat(faults(
                        file,
                        Map.of("OUTBOX_RELAY_INBOXES_STOCK_USER", "x", "OUTBOX_RELAY_INBOXES_CRM_WAKEUP", "x"),
                        "inboxes.shop.user=x"))
                .containsExactlyInAnyOrder(
                        "inboxes[0].usr (relay.yaml line 10) is not a key. Did you mean inboxes[].user?",
                        "inboxes[1].pool-size (relay.yaml line 14) is not a key. See the table of keys in"
                                + " docs/configuration.md.",
                        "OUTBOX_RELAY_INBOXES_STOCK_USER (environment) names the inbox \"stock\", which does not exist."
                                + " Correct the name, or define the inbox with OUTBOX_RELAY_INBOXES_STOCK_URL.",
                        "OUTBOX_RELAY_INBOXES_CRM_WAKEUP (environment) is not a variable of the relay. After"
                                + " OUTBOX_RELAY_INBOXES_ and the number or name of an inbox come _NAME, _URL, _USER,"
                                + " _PASSWORD, _SCHEMA.",
                        "inboxes.shop.user (command line) is not a key. There is no inbox of this name.",
                        "inboxes[0].user (not given) is missing. Database user; the rights of the role outbox_consumer"
                                + " are enough to inspect.",
                        "inboxes[0].name = \"orders\" (relay.yaml line 8) has the name of sources[0]. Give each a name"
                                + " of its own; - and _ count as the same.",
                        "inboxes[0].url = \"jdbc:postgresql://localhost:5432/orders\" (relay.yaml line 9) has url and"
                                + " schema of sources[0]. Remove this entry: commands use that database anyway.",
                        "inboxes[1].url = \"jdbc:oracle:crm\" (relay.yaml line 12) names an unsupported database."
                                + " Supported are jdbc:postgresql:, jdbc:mariadb: or jdbc:mysql:.");
        assertThat(faults(SMALLEST + "inboxes: crm\n", Map.of()))
                .containsExactly("inboxes (relay.yaml line 7) must be a list: each inbox begins with \"- name: …\".");
    }

    @Test
    void the_command_line_wins_over_the_environment_over_the_file_over_the_default() {
        String file = SMALLEST + "http:\n  port: 1\n  host: from-file\nlog:\n  level: error\n";
        Map<String, String> environment = Map.of("OUTBOX_RELAY_HTTP_PORT", "2", "OUTBOX_RELAY_HTTP_HOST", "from-env");

        Configuration configuration =
                read(file, environment, "http.port=3", "http.port=4").configuration();

        assertThat(configuration.http()).isEqualTo(new HttpSettings("from-env", 4, HttpSettings.Details.LOOPBACK));
        assertThat(configuration.log().level()).isEqualTo(LogSettings.Level.ERROR);
        assertThat(configuration.log().format()).isEqualTo(LogSettings.Format.TEXT);
    }

    @Test
    void a_source_is_found_by_its_name_in_variables_and_options() {
        String file = SMALLEST.replace("name: orders", "name: web-orders");

        SourceSettings source = read(
                        file,
                        Map.of("OUTBOX_RELAY_SOURCES_WEB_ORDERS_PASSWORD", "secret"),
                        "sources.web-orders.schema=events")
                .configuration()
                .sources()
                .get(0);

        assertThat(source.password()).isEqualTo("secret");
        assertThat(source.schema()).isEqualTo("events");
    }

    @Test
    void a_secret_is_read_from_a_file_less_one_line_end() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "p w\n\n");

        SourceSettings source = read(SMALLEST, Map.of("OUTBOX_RELAY_SOURCES_0_PASSWORD_FILE", secret.toString()))
                .configuration()
                .sources()
                .get(0);

        assertThat(source.password()).isEqualTo("p w\n");
    }

    @Test
    void a_secret_is_read_from_a_regular_file_only_so_that_no_device_or_pipe_stops_the_start() throws IOException {
        Path large = Files.writeString(folder.resolve("large"), "x".repeat(65 * 1024));

        assertThat(faults(
                        SMALLEST,
                        Map.of(
                                "OUTBOX_RELAY_SOURCES_0_PASSWORD_FILE",
                                "/dev/zero",
                                "OUTBOX_RELAY_BROKER_URI_FILE",
                                large.toString())))
                .anySatisfy(fault -> assertThat(fault).contains("/dev/zero").contains("it is not a regular file"))
                .anySatisfy(fault -> assertThat(fault).contains("it is larger than 64 KiB"));
    }

    @Test
    void a_secret_given_twice_or_by_a_missing_file_is_a_fault() {
        assertThat(faults(
                        SMALLEST,
                        Map.of(
                                "OUTBOX_RELAY_SOURCES_0_PASSWORD", "x",
                                "OUTBOX_RELAY_SOURCES_0_PASSWORD_FILE", "/nowhere/a",
                                "OUTBOX_RELAY_BROKER_URI_FILE", "/nowhere/b")))
                .containsExactlyInAnyOrder(
                        "sources[0].password (OUTBOX_RELAY_SOURCES_0_PASSWORD_FILE) is also set by"
                                + " OUTBOX_RELAY_SOURCES_0_PASSWORD. Keep one.",
                        "broker.uri (OUTBOX_RELAY_BROKER_URI_FILE) names the file /nowhere/b, which cannot"
                                + " be read as text (NoSuchFileException).");
    }

    @Test
    void variables_in_the_file_are_replaced_as_text() {
        String file = SMALLEST.replace("user: outbox_relay", "user: ${USER_NAME:-nobody}\n    password: a${P}b$${c}");

        SourceSettings source =
                read(file, Map.of("P", ": '\"# ${X}")).configuration().sources().get(0);

        assertThat(source.user()).isEqualTo("nobody");
        assertThat(source.password()).isEqualTo("a: '\"# ${X}b${c}");
    }

    @Test
    void a_number_as_password_keeps_its_zeros() {
        String file = SMALLEST.replace("user: outbox_relay", "user: outbox_relay\n    password: 0123");

        assertThat(read(file).configuration().sources().get(0).password()).isEqualTo("0123");
    }

    @Test
    void an_unknown_key_is_a_fault_that_names_the_nearest_one() {
        String file = SMALLEST.replace("user:", "usr:") + "htttp:\n  port: 1\nport: 2\npoll:\n  maxx: 1s\n";

        assertThat(faults(file, Map.of("OUTBOX_RELAY_BROKER_URL", "x", "OUTBOX_RELAY_SOURCES_0_PASWORD", "x")))
                .contains(
                        "sources[0].usr (relay.yaml line 4) is not a key. Did you mean sources[].user?",
                        "htttp (relay.yaml line 7) is not a key. See the table of keys in docs/configuration.md.",
                        "port (relay.yaml line 9) is not a key. Did you mean http.port?",
                        "poll.maxx (relay.yaml line 11) is not a key. Did you mean poll.max?",
                        "OUTBOX_RELAY_BROKER_URL (environment) is not a variable of the relay. Did you mean"
                                + " OUTBOX_RELAY_BROKER_URI?")
                .anyMatch(fault -> fault.startsWith("OUTBOX_RELAY_SOURCES_0_PASWORD (environment) is not a variable"));
    }

    @Test
    void variables_that_kubernetes_makes_for_a_service_named_outbox_relay_are_no_faults() {
        Configuration configuration = read(
                        SMALLEST,
                        Map.of(
                                "OUTBOX_RELAY_SERVICE_HOST", "10.0.0.1",
                                "OUTBOX_RELAY_SERVICE_PORT", "8080",
                                "OUTBOX_RELAY_SERVICE_PORT_HTTP", "8080",
                                "OUTBOX_RELAY_PORT", "tcp://10.0.0.1:8080",
                                "OUTBOX_RELAY_PORT_8080_TCP_ADDR", "10.0.0.1"))
                .configuration();

        assertThat(configuration.http().port()).isEqualTo(8080);
    }

    @Test
    void all_faults_are_reported_together_each_with_its_value_and_origin() {
        String file = """
                sources:
                  - name: Orders
                    url: jdbc:oracle:thin:@host
                    user: u
                    password: ${MISSING}
                broker:
                  uri: http://guest:hunter2@localhost
                  exchange: "{aggregate}"
                  topology: maybe
                publish:
                  batch-bytes: 8MB
                lease:
                  duration: 13s
                  heartbeat: 5s
                poll:
                  min: 1s
                http:
                  port: 70000
                """;

        assertThat(faults(file, Map.of("OUTBOX_RELAY_RETRY_FIRST_BACKOFF", "soon")))
                .containsExactlyInAnyOrder(
                        "sources[0].password (relay.yaml line 5) needs the environment variable MISSING, which is not"
                                + " set. Set it, or write ${MISSING:-default}.",
                        "sources[0].name = \"Orders\" (relay.yaml line 2) must match [a-z][a-z0-9_-]{0,62}.",
                        "sources[0].url = \"jdbc:***@host\" (relay.yaml line 3) names an unsupported database."
                                + " Supported are jdbc:postgresql:, jdbc:mariadb: or jdbc:mysql:.",
                        "broker.uri = \"http://***@localhost\" (relay.yaml line 7) must begin with amqp:// or"
                                + " amqps://.",
                        "broker.exchange = \"{aggregate}\" (relay.yaml line 8) has braces that are no placeholder."
                                + " Possible are {aggregate_type}, {aggregate_id}, {event_type}, {event}.",
                        "broker.topology = \"maybe\" (relay.yaml line 9) must be one of declare, check, none.",
                        "publish.batch-bytes = \"8MB\" (relay.yaml line 11) must be a size such as 512B, 64KiB, 8MiB"
                                + " or 1GiB.",
                        "http.port = \"70000\" (relay.yaml line 18) must be a whole number from 0 to 65535.",
                        "retry.first-backoff = \"soon\" (OUTBOX_RELAY_RETRY_FIRST_BACKOFF) must be a duration such as"
                                + " 500ms, 10s, 2m, 1h, 7d or PT1M30S.",
                        "lease.duration = \"13s\" (relay.yaml line 13) must be longer than 13s:"
                                + " publish.confirm-deadline 7s, sources[0].statement-timeout 5s and 1s margin, so"
                                + " that a lease outlasts a cycle. Raise it or lower one of the others.",
                        "lease.heartbeat = \"5s\" (relay.yaml line 14) must be at most a third of lease.duration"
                                + " (4333ms). Lower it or raise lease.duration.",
                        "poll.min = \"1s\" (relay.yaml line 16) must be at most poll.max (50ms). Lower it or raise"
                                + " poll.max.");
    }

    @Test
    void nothing_given_is_answered_with_what_is_needed() {
        ConfigurationReader nothing = new ConfigurationReader(null, List.of(), Map.of());

        ConfigurationException refusal = catchThrowableOfType(ConfigurationException.class, nothing::configuration);

        assertThat(refusal.faults()).extracting(Fault::key).containsExactly("broker.uri", "sources");
        assertThat(refusal)
                .hasMessageStartingWith("2 faults in the configuration:\n  broker.uri (not given) is missing.");
    }

    @Test
    void two_sources_cannot_share_a_name_or_an_outbox() {
        String file = SMALLEST.replace("broker:", """
                  - name: web_orders
                    url: jdbc:postgresql://localhost:5432/orders
                    user: u
                  - name: web-orders
                    url: jdbc:postgresql://localhost:5432/other
                    user: u
                broker:""");

        assertThat(faults(file, Map.of()))
                .satisfiesExactlyInAnyOrder(
                        fault ->
                                assertThat(fault).startsWith("sources[1].url").contains("url and schema of sources[0]"),
                        fault -> assertThat(fault).startsWith("sources[2].name").contains("the name of sources[1]"));
    }

    @Test
    void an_empty_value_a_repeated_key_and_a_list_in_place_of_a_value_are_faults() {
        String file = SMALLEST + "http:\n  port:\n  host: [a]\n  host: b\nlog: text\n";

        assertThat(faults(file, Map.of()))
                .containsExactly(
                        "http.port (relay.yaml line 8) has no value. Give it one or leave the key out.",
                        "http.host (relay.yaml line 9) must be a single value.",
                        "http.host (relay.yaml line 10) is set twice. Keep one.",
                        "log (relay.yaml line 11) must be a section: key: value lines.");
    }

    @Test
    void no_fault_shows_a_secret_wherever_it_was_written() {
        String file = """
                sources:
                  - name: orders
                    url: jdbc:postgresql://localhost/orders?user=me&password=hunter2
                    user: me
                    pasword: hunter2
                broker:
                  uri: "amqp:guest:hunter2@localhost"
                """;

        assertThat(faults(file, Map.of("OUTBOX_RELAY_PASSWORD", "hunter2"), "hunter2", "broker.password=hunter2"))
                .hasSize(6)
                .allSatisfy(fault -> assertThat(fault).doesNotContain("hunter2"));
        assertThat(faults("sources:\n  - password: *hunter2\n", Map.of()))
                .singleElement()
                .asString()
                .contains("is not valid YAML near line 2, column 15")
                .doesNotContain("hunter2");
    }

    @Test
    void a_character_that_yaml_has_not_is_one_fault_with_its_place() {
        assertThat(faults("sources:\n  - name: or\u0007ders\n", Map.of("OUTBOX_RELAY_POLL_MIN", "soon")))
                .singleElement()
                .asString()
                .contains("is not valid YAML near line 2, column 13");
    }

    @Test
    void the_effective_configuration_masks_secrets_and_says_where_values_come_from() {
        String file = SMALLEST.replace("user:", "password: hunter2\n    user:")
                .replace("amqp://guest:guest", "amqps://guest:hunter2");

        String yaml = read(file, Map.of("OUTBOX_RELAY_BROKER_TLS_TRUST_STORE_PASSWORD", "hunter2"), "http.port=1")
                .effectiveYaml();

        assertThat(yaml)
                .doesNotContain("hunter2")
                .contains(
                        "  - name: orders  # relay.yaml line 2\n",
                        "    password: '***'  # relay.yaml line 4\n",
                        "  uri: 'amqps://***@localhost:5672/%2f'  # relay.yaml line 7\n",
                        "    trust-store-password: '***'  # OUTBOX_RELAY_BROKER_TLS_TRUST_STORE_PASSWORD\n",
                        "  port: 1  # command line\n",
                        "  confirm-deadline: 7s\n");
        assertThat(new ConfigurationReader(file("again.yaml", yaml), List.of(), Map.of()).effectiveYaml())
                .as("the output is a configuration again")
                .contains("  confirm-deadline: 7s  # again.yaml line ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            sources.orders.url=jdbc:postgresql://db/orders | may not encrypt (sslmode=prefer)
            sources.orders.url=jdbc:postgresql://localhost,db:5433/orders?sslmode=disable | may not encrypt (sslmode=disable)
            sources.orders.url=jdbc:postgresql://db/orders?ApplicationName=a&sslmode=require | does not verify the server (sslmode=require)
            sources.orders.url=jdbc:mariadb://db/orders | may not encrypt (sslMode=disable)
            sources.orders.url=jdbc:mysql://db/orders?sslMode=trust | does not verify the server (sslMode=trust)
            inboxes[0].url=jdbc:mysql://db/crm?sslMode=trust | does not verify the server (sslMode=trust)
            sources.orders.url=jdbc:mariadb:sequential://10.0.0.1,10.0.0.2/orders | may not encrypt (sslMode=disable)
            broker.uri=amqp://guest:guest@broker/%2f | does not encrypt: the password and every event can be read on the way to broker. Use amqps://.
            broker.management-uri=http://broker:15672 | does not encrypt: the credentials can be read on the way to broker. Use https://.
            sources.orders.password=hunter2 | is visible in the list of processes. Set it with an environment variable, or with a file named by OUTBOX_RELAY_SOURCES_0_PASSWORD_FILE.
            """)
    void what_others_could_read_is_warned_of(String assignment, String warning) {
        assertThat(read(SMALLEST, Map.of(), assignment).warnings())
                .singleElement()
                .asString()
                .startsWith(assignment.substring(0, assignment.indexOf('.')))
                .contains("(command line) " + warning)
                .doesNotContain("hunter2", "guest:guest");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sources.orders.url=jdbc:postgresql:orders",
                "sources.orders.url=jdbc:postgresql:///orders",
                "sources.orders.url=jdbc:postgresql://[::1]:5432/orders",
                "sources.orders.url=jdbc:postgresql://db/orders?sslmode=verify-full",
                "sources.orders.url=jdbc:postgresql://db/orders?socketFactory=org.newsclub.net.unix.AFUNIXSocketFactory",
                "sources.orders.url=jdbc:mariadb://127.0.0.1,localhost:3307/orders",
                "sources.orders.url=jdbc:mariadb://db/orders?sslMode=verify-full",
                "broker.uri=amqp://guest:guest@127.0.0.2/%2f",
                "broker.uri=amqps://guest:guest@broker/%2f",
                "broker.management-uri=https://broker:15671",
                "schemas.registry.url=http://registry"
            })
    void what_stays_on_this_machine_or_is_verified_needs_no_warning(String assignment) {
        assertThat(read(SMALLEST, Map.of(), assignment).warnings()).isEmpty();
    }

    @Test
    void credentials_for_a_registry_are_warned_of_where_it_does_not_encrypt() {
        assertThat(read(
                                SMALLEST,
                                Map.of("OUTBOX_RELAY_SCHEMAS_REGISTRY_TOKEN", "hunter2"),
                                "schemas.registry.url=http://registry")
                        .warnings())
                .containsExactly(
                        "schemas.registry.url (command line) does not encrypt: the credentials can be read on the way"
                                + " to registry. Use https://.");
    }

    @Test
    void a_secret_in_a_file_that_every_user_can_read_is_warned_of() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "hunter2");
        Map<String, String> environment = Map.of("OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD_FILE", secret.toString());

        permit(secret, "rw-r-----");
        assertThat(read(SMALLEST, environment).warnings()).isEmpty();
        permit(secret, "rw-r--r--");
        assertThat(read(SMALLEST, environment).warnings())
                .containsExactly(
                        "sources[0].password (OUTBOX_RELAY_SOURCES_ORDERS_PASSWORD_FILE) can be read by others. Every"
                                + " user of this machine can read the file " + secret
                                + ". To prevent this: chmod o-r.");
    }

    @Test
    void a_configuration_with_a_secret_that_every_user_can_read_is_warned_of() throws IOException {
        Path yaml = file("relay.yaml", SMALLEST.replace("user:", "password: hunter2\n    user:"));
        permit(yaml, "rw-------");
        assertThat(new ConfigurationReader(yaml, List.of(), Map.of()).warnings())
                .isEmpty();
        permit(yaml, "rw-r--r--");
        assertThat(new ConfigurationReader(yaml, List.of(), Map.of()).warnings())
                .containsExactly(
                        "sources[0].password (relay.yaml line 4) can be read by others. Every user of this machine can"
                                + " read the file " + yaml + ". To prevent this: chmod o-r.");

        Path reference = file("relay.yaml", SMALLEST.replace("user:", "password: ${PASSWORD}\n    user:"));
        assertThat(new ConfigurationReader(reference, List.of(), Map.of("PASSWORD", "hunter2")).warnings())
                .isEmpty();
    }

    private static void permit(Path file, String permissions) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    @Test
    void a_trust_store_that_would_not_be_used_is_a_fault() {
        String store = "broker.tls.trust-store=/etc/trust.p12";
        assertThat(faults(SMALLEST, Map.of(), store))
                .containsExactly("broker.tls.trust-store = \"/etc/trust.p12\" (command line) would not be used, because"
                        + " broker.uri does not encrypt. Use amqps:// there, or remove the trust store.");
        assertThat(read(SMALLEST, Map.of(), store, "broker.management-uri=https://broker:15671")
                        .configuration())
                .as("the management API is verified with it")
                .isNotNull();
        assertThat(faults(
                        SMALLEST,
                        Map.of(),
                        "schemas.registry.url=http://registry",
                        "schemas.registry.tls.trust-store=/etc/ca.pem"))
                .containsExactly(
                        "schemas.registry.tls.trust-store = \"/etc/ca.pem\" (command line) would not be used, because"
                                + " schemas.registry.url does not encrypt. Use https:// there, or remove the trust"
                                + " store.");
    }

    @Test
    void commands_that_need_no_broker_do_not_ask_for_one() {
        ConfigurationReader reader = read(SMALLEST.substring(0, SMALLEST.indexOf("broker:")));

        assertThat(reader.sources()).hasSize(1);
        assertThat(catchThrowableOfType(ConfigurationException.class, reader::configuration)
                        .faults())
                .extracting(Fault::key)
                .containsExactly("broker.uri");
    }

    @Test
    void a_file_that_is_not_there_is_a_fault() {
        ConfigurationReader reader = new ConfigurationReader(
                null,
                List.of(),
                Map.of("OUTBOX_RELAY_CONFIG", folder.resolve("none.yaml").toString()));

        assertThat(catchThrowableOfType(ConfigurationException.class, reader::http))
                .hasMessageContaining("none.yaml")
                .hasMessageContaining("does not exist");
    }

    private List<String> faults(String yaml, Map<String, String> environment, String... assignments) {
        ConfigurationReader reader = read(yaml, environment, assignments);
        return catchThrowableOfType(ConfigurationException.class, reader::configuration).faults().stream()
                .map(Fault::toString)
                .toList();
    }

    private ConfigurationReader read(String yaml) {
        return read(yaml, Map.of());
    }

    private ConfigurationReader read(String yaml, Map<String, String> environment, String... assignments) {
        return new ConfigurationReader(file("relay.yaml", yaml), List.of(assignments), environment);
    }

    private Path file(String name, String yaml) {
        try {
            return Files.writeString(folder.resolve(name), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
