package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.ConfigurationException.Fault;
import io.outboxrelay.relay.configuration.Settings.Setting;
import io.outboxrelay.relay.configuration.Settings.Values;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Reads the configuration: command line over environment over file over default. */
public final class ConfigurationReader {

    private final Settings settings = new Settings();
    private final Values values;

    /**
     * Reads every layer; faults are kept until a configuration is requested.
     *
     * @param file the YAML file; null for the one that {@code OUTBOX_RELAY_CONFIG} names, or none
     * @param assignments {@code key=value} from the command line, the last one wins
     * @param environment the process environment
     */
    public ConfigurationReader(@Nullable Path file, List<String> assignments, Map<String, String> environment) {
        String named = environment.get(EnvironmentVariables.CONFIG);
        if (file != null || named != null) {
            new YamlFile(file != null ? file : Path.of(named), environment, settings).read();
        }
        new EnvironmentVariables(environment, settings).read();
        new Assignments(assignments, settings).read();
        this.values = new Values(settings);
        new CrossChecks(settings, values).run();
        new Exposures(settings, values).run();
    }

    /**
     * {@return everything that a relay needs}
     *
     * @throws ConfigurationException with every fault
     */
    public Configuration configuration() {
        refuse(fault -> true);
        return new Configuration(
                values.find(Keys.INSTANCE).orElseGet(ConfigurationReader::freshInstance),
                sourceSettings(),
                broker(),
                lane(),
                new FailurePolicy(
                        values.get(Keys.MAX_ATTEMPTS),
                        values.get(Keys.PARK_AFTER),
                        values.get(Keys.RESUME),
                        values.get(Keys.FIRST_BACKOFF),
                        values.get(Keys.LONGEST_BACKOFF),
                        values.get(Keys.ON_PARK),
                        values.get(Keys.UNROUTABLE)),
                new LeaseSettings(values.get(Keys.LEASE_DURATION), values.get(Keys.LEASE_HEARTBEAT)),
                new PollSettings(values.get(Keys.POLL_MIN), values.get(Keys.POLL_MAX)),
                httpSettings(),
                new LogSettings(values.get(Keys.LOG_FORMAT), values.get(Keys.LOG_LEVEL)),
                values.get(Keys.GRACE_PERIOD));
    }

    /**
     * {@return the databases, for a command that needs no broker}
     *
     * @throws ConfigurationException with every fault except those of the broker
     */
    public List<SourceSettings> sources() {
        refuse(fault -> !fault.key().startsWith("broker."));
        return sourceSettings();
    }

    /**
     * {@return the databases that have an inbox, for a command that needs no broker: those of the sources, and those
     * that are no sources}
     *
     * @throws ConfigurationException with every fault except those of the broker; there may be no source
     */
    public Databases databases() {
        boolean some = settings.size(DatabaseList.INBOXES) > 0;
        refuse(fault ->
                !fault.key().startsWith("broker.") && !(some && fault.key().equals("sources")));
        return new Databases(
                sourceSettings(),
                IntStream.range(0, settings.size(DatabaseList.INBOXES))
                        .mapToObj(this::inbox)
                        .toList());
    }

    /**
     * {@return the broker, for a command that needs no database}
     *
     * @throws ConfigurationException with the faults of the broker
     */
    public BrokerSettings brokerSettings() {
        refuse(fault -> fault.key().startsWith("broker."));
        return broker();
    }

    /**
     * Databases that have an inbox.
     *
     * @param sources those whose outboxes are relayed
     * @param inboxes all others
     */
    public record Databases(List<SourceSettings> sources, List<DatabaseLogin> inboxes) {}

    /** {@return what others could read or change, a sentence or two each; none of it stops a relay} */
    public List<String> warnings() {
        return settings.warnings().stream().map(Fault::toString).toList();
    }

    /**
     * {@return where health and metrics are served, for a command that needs nothing else}
     *
     * @throws ConfigurationException with the faults of these keys
     */
    public HttpSettings http() {
        refuse(fault -> fault.key().startsWith("http."));
        return httpSettings();
    }

    /**
     * {@return the effective configuration as YAML, with secrets masked and the origin of each configured value}
     *
     * @throws ConfigurationException with every fault
     */
    public String effectiveYaml() {
        refuse(fault -> true);
        return new EffectiveYaml(settings).write();
    }

    private void refuse(Predicate<Fault> matters) {
        List<Fault> faults = settings.faults().stream()
                .filter(fault -> matters.test(fault) || settings.isUnusable())
                .toList();
        if (!faults.isEmpty()) {
            throw new ConfigurationException(faults);
        }
    }

    private HttpSettings httpSettings() {
        return new HttpSettings(values.get(Keys.HTTP_HOST), values.get(Keys.HTTP_PORT), values.get(Keys.HTTP_DETAILS));
    }

    private List<SourceSettings> sourceSettings() {
        return IntStream.range(0, settings.sources()).mapToObj(this::source).toList();
    }

    private SourceSettings source(int number) {
        return new SourceSettings(
                values.get(Keys.SOURCE_NAME, number),
                values.get(Keys.SOURCE_URL, number),
                values.get(Keys.SOURCE_USER, number),
                values.get(Keys.SOURCE_PASSWORD, number),
                values.get(Keys.SOURCE_SCHEMA, number),
                values.get(Keys.SOURCE_POOL_SIZE, number),
                values.get(Keys.SOURCE_STATEMENT_TIMEOUT, number),
                values.get(Keys.SOURCE_WAKEUP, number),
                values.find(Keys.SOURCE_RETAIN, number).orElse(null),
                schemas(values.get(Keys.SOURCE_SCHEMAS, number)));
    }

    private DatabaseLogin inbox(int number) {
        return new DatabaseLogin(
                values.get(Keys.INBOX_NAME, number),
                values.get(Keys.INBOX_URL, number),
                values.get(Keys.INBOX_USER, number),
                values.get(Keys.INBOX_PASSWORD, number),
                values.get(Keys.INBOX_SCHEMA, number));
    }

    private GateSettings schemas(GateSettings.Mode mode) {
        return mode == GateSettings.Mode.OFF
                ? GateSettings.OFF
                : new GateSettings(
                        mode,
                        values.find(Keys.SCHEMAS_CATALOGUE).orElse(null),
                        values.get(Keys.SCHEMAS_SUBJECT),
                        mode == GateSettings.Mode.REGISTRY ? registry() : null);
    }

    private RegistrySettings registry() {
        RegistrySettings settings = new RegistrySettings(values.get(Keys.REGISTRY_URL), credentials())
                .patient(values.get(Keys.REGISTRY_TIMEOUT), 1);
        return values.find(Keys.REGISTRY_TRUST)
                .map(file -> settings.trusting(
                        file, values.find(Keys.REGISTRY_TRUST_PASSWORD).orElse(null)))
                .orElse(settings);
    }

    private Credentials credentials() {
        Optional<String> token = values.find(Keys.REGISTRY_TOKEN);
        Optional<String> user = values.find(Keys.REGISTRY_USER);
        if (token.isPresent()) {
            return new Credentials.Bearer(token.get());
        }
        return user.isPresent()
                ? new Credentials.Basic(
                        user.get(), values.find(Keys.REGISTRY_PASSWORD).orElse(""))
                : new Credentials.None();
    }

    private BrokerSettings broker() {
        return new BrokerSettings(
                values.get(Keys.BROKER_URI),
                values.get(Keys.BROKER_EXCHANGE),
                values.get(Keys.BROKER_ROUTING_KEY),
                values.get(Keys.BROKER_TOPOLOGY),
                values.find(Keys.BROKER_DECLARE_EXCHANGES).orElse(Set.of()),
                values.get(Keys.BROKER_CLOUDEVENTS),
                values.get(Keys.BROKER_HEARTBEAT),
                values.get(Keys.BROKER_CONNECT_TIMEOUT),
                values.find(Keys.BROKER_TRUST_STORE).orElse(null),
                values.find(Keys.BROKER_TRUST_STORE_PASSWORD).orElse(null),
                values.get(Keys.BROKER_INSECURE),
                values.find(Keys.BROKER_MANAGEMENT).orElse(null));
    }

    private LaneSettings lane() {
        return new LaneSettings(
                values.get(Keys.BATCH_EVENTS),
                values.get(Keys.BATCH_BYTES),
                values.get(Keys.EVENTS_PER_AGGREGATE),
                values.get(Keys.WINDOW_EVENTS),
                values.get(Keys.WINDOW_BYTES),
                Math.toIntExact(values.get(Keys.MAX_EVENT_BYTES)),
                values.get(Keys.CONFIRM_DEADLINE));
    }

    private static String freshInstance() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "relay";
        }
        return host + "-" + UUID.randomUUID().toString().substring(0, 8);
    }

    /** The effective configuration as YAML: each configured value with its origin, secrets masked. */
    static final class EffectiveYaml {

        private final Settings settings;
        private final StringBuilder yaml = new StringBuilder();
        private List<String> section = List.of();

        EffectiveYaml(Settings settings) {
            this.settings = settings;
        }

        String write() {
            Set<DatabaseList> written = EnumSet.noneOf(DatabaseList.class);
            for (Key<?> key : Keys.ALL) {
                DatabaseList list = key.list();
                if (list == null) {
                    write(key);
                } else if (written.add(list) && settings.size(list) > 0) {
                    write(list);
                }
            }
            return yaml.toString();
        }

        private void write(DatabaseList list) {
            section = List.of();
            yaml.append(list.many()).append(":\n");
            for (int number = 0; number < settings.size(list); number++) {
                String lead = "  - ";
                for (Key<?> key : Keys.ALL) {
                    if (key.list() == list && line(lead, key.name(), key, key.path(number))) {
                        lead = "    ";
                    }
                }
            }
        }

        private void write(Key<?> key) {
            List<String> parts = List.of(key.path().split("\\."));
            List<String> parents = parts.subList(0, parts.size() - 1);
            if (text(key, key.path()) == null) {
                return;
            }
            for (int depth = 0; depth < parents.size(); depth++) {
                if (depth >= section.size() || !section.get(depth).equals(parents.get(depth))) {
                    yaml.append("  ".repeat(depth)).append(parents.get(depth)).append(":\n");
                    section = new ArrayList<>(parents.subList(0, depth + 1));
                }
            }
            section = parents;
            line("  ".repeat(parents.size()), parts.get(parts.size() - 1), key, key.path());
        }

        private boolean line(String lead, String name, Key<?> key, String path) {
            String text = text(key, path);
            if (text == null) {
                return false;
            }
            Setting setting = settings.find(path);
            yaml.append(lead)
                    .append(name)
                    .append(": ")
                    .append(quoted(key.secrecy().mask(text)));
            yaml.append(setting == null ? "" : "  # " + setting.origin()).append('\n');
            return true;
        }

        private @Nullable String text(Key<?> key, String path) {
            Setting setting = settings.find(path);
            return setting == null ? key.standard() : setting.value();
        }

        private static String quoted(String text) {
            return text.matches("[A-Za-z0-9/][A-Za-z0-9/_.:-]*")
                    ? text
                    : "'" + text.replace("'", "''").replace('\n', ' ') + "'";
        }
    }
}
