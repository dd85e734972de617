package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Settings.Setting;
import io.outboxrelay.relay.configuration.Settings.Values;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.source.SourceSettings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Rules between keys. A rule is skipped if one of its values is already at fault. */
final class CrossChecks {

    /** For settling, and for pauses between steps: a lease must outlast the longest cycle. */
    private static final Duration MARGIN = Duration.ofSeconds(1);

    private final Settings settings;
    private final Values values;

    CrossChecks(Settings settings, Values values) {
        this.settings = settings;
        this.values = values;
    }

    void run() {
        if (settings.sources() == 0) {
            settings.fault(
                    "sources",
                    null,
                    "not given",
                    "is missing. Configure at least one source: name, url, user and password.");
        }
        distinctDatabases();
        wakeupIsThere();
        schemasCanBeFound();
        declaredExchangesAreOfATemplate();
        trustStoresAreUsed();
        leaseOutlastsACycle();
        atMost(Keys.LEASE_HEARTBEAT, Keys.LEASE_DURATION, 3);
        atMost(Keys.POLL_MIN, Keys.POLL_MAX, 1);
        atMost(Keys.FIRST_BACKOFF, Keys.LONGEST_BACKOFF, 1);
    }

    private void schemasCanBeFound() {
        for (int source = 0; source < settings.sources(); source++) {
            GateSettings.Mode mode = values.find(Keys.SOURCE_SCHEMAS, source).orElse(GateSettings.Mode.OFF);
            needs(source, mode == GateSettings.Mode.CATALOGUE, Keys.SCHEMAS_CATALOGUE);
            needs(source, mode == GateSettings.Mode.REGISTRY, Keys.REGISTRY_URL);
        }
        if (settings.find(Keys.REGISTRY_TOKEN.path()) != null && settings.find(Keys.REGISTRY_USER.path()) != null) {
            fault(Keys.REGISTRY_TOKEN, 0, "is set together with a user. Set only one of them.");
        }
        if (settings.find(Keys.REGISTRY_PASSWORD.path()) != null && settings.find(Keys.REGISTRY_USER.path()) == null) {
            fault(Keys.REGISTRY_PASSWORD, 0, "is set without a user.");
        }
    }

    private void declaredExchangesAreOfATemplate() {
        boolean constant = values.find(Keys.BROKER_EXCHANGE)
                .filter(exchange -> !exchange.contains("{"))
                .isPresent();
        if (constant && values.find(Keys.BROKER_DECLARE_EXCHANGES).isPresent()) {
            fault(
                    Keys.BROKER_DECLARE_EXCHANGES,
                    0,
                    "needs a broker.exchange that is a template; a single exchange needs only broker.topology.");
        }
    }

    /** A trust store with an address that does not encrypt would be ignored silently. */
    private void trustStoresAreUsed() {
        boolean management = values.find(Keys.BROKER_MANAGEMENT)
                .filter(uri -> "https".equals(uri.getScheme()))
                .isPresent();
        values.find(Keys.BROKER_URI)
                .filter(uri -> uri.getScheme().equals("amqp") && !management)
                .ifPresent(uri -> notUsed(Keys.BROKER_TRUST_STORE, Keys.BROKER_URI, "amqps://"));
        values.find(Keys.REGISTRY_URL)
                .filter(url -> "http".equals(url.getScheme()))
                .ifPresent(url -> notUsed(Keys.REGISTRY_TRUST, Keys.REGISTRY_URL, "https://"));
    }

    private void notUsed(Key<Path> trustStore, Key<URI> address, String scheme) {
        if (settings.isGiven(trustStore)) {
            fault(
                    trustStore,
                    0,
                    "would not be used, because %s does not encrypt. Use %s there, or remove the trust store."
                            .formatted(address.path(), scheme));
        }
    }

    private void needs(int source, boolean needed, Key<?> other) {
        if (needed && settings.find(other.path()) == null) {
            fault(Keys.SOURCE_SCHEMAS, source, "needs " + other.path() + ".");
        }
    }

    private void distinctDatabases() {
        Map<String, String> names = new HashMap<>();
        Map<String, String> tables = new HashMap<>();
        for (DatabaseList list : DatabaseList.values()) {
            for (int number = 0; number < settings.size(list); number++) {
                int one = number;
                values.find(list.nameKey(), one)
                        .ifPresent(name -> distinct(
                                names,
                                name.replace('-', '_'),
                                list.nameKey(),
                                list.path(one),
                                "has the name of %s. Give each a name of its own; - and _ count as the same."));
                Optional<String> schema = values.find(list.schemaKey(), one);
                values.find(list.urlKey(), one)
                        .filter(url -> schema.isPresent())
                        .ifPresent(url -> distinct(
                                tables,
                                schema.orElse("") + " " + url,
                                list.urlKey(),
                                list.path(one),
                                "has url and schema of %s. "
                                        + (list == DatabaseList.SOURCES
                                                ? "Each source is one outbox."
                                                : "Remove this entry: commands use that database anyway.")));
            }
        }
    }

    /**
     * Adds a fault for a value that was seen before.
     *
     * @param seen the database of each value
     * @param path of the database that has this one
     * @param problem with a place for the other database
     */
    private void distinct(Map<String, String> seen, String value, Key<?> key, String path, String problem) {
        String first = seen.putIfAbsent(value, path);
        if (first != null) {
            fault(key, Objects.requireNonNull(key.list()).number(path).orElse(0), problem.formatted(first));
        }
    }

    private void wakeupIsThere() {
        for (int source = 0; source < settings.sources(); source++) {
            boolean wanted = values.find(Keys.SOURCE_WAKEUP, source).equals(Optional.of(SourceSettings.Wakeup.NOTIFY));
            Optional<String> url = values.find(Keys.SOURCE_URL, source);
            if (wanted && url.isPresent() && !url.get().startsWith("jdbc:postgresql:")) {
                fault(Keys.SOURCE_WAKEUP, source, "is supported on PostgreSQL only. Remove it, or lower poll.max.");
            }
        }
    }

    private void leaseOutlastsACycle() {
        Optional<Duration> lease = values.find(Keys.LEASE_DURATION);
        Optional<Duration> confirm = values.find(Keys.CONFIRM_DEADLINE);
        if (lease.isEmpty() || confirm.isEmpty()) {
            return;
        }
        for (int source = 0; source < settings.sources(); source++) {
            Optional<Duration> statement = values.find(Keys.SOURCE_STATEMENT_TIMEOUT, source);
            if (statement.isPresent()) {
                Duration needed = confirm.get().plus(statement.get()).plus(MARGIN);
                if (lease.get().compareTo(needed) <= 0) {
                    fault(
                            Keys.LEASE_DURATION,
                            0,
                            ("must be longer than %s: publish.confirm-deadline %s, %s %s and 1s margin, so that a "
                                            + "lease outlasts a cycle. Raise it or lower one of the others.")
                                    .formatted(
                                            text(needed),
                                            text(confirm.get()),
                                            Keys.SOURCE_STATEMENT_TIMEOUT.path(source),
                                            text(statement.get())));
                    return;
                }
            }
        }
    }

    private void atMost(Key<Duration> small, Key<Duration> large, int parts) {
        Optional<Duration> most = values.find(large).map(duration -> duration.dividedBy(parts));
        Optional<Duration> given = values.find(small);
        if (given.isPresent() && most.isPresent() && given.get().compareTo(most.get()) > 0) {
            fault(
                    small,
                    0,
                    "must be at most %s%s (%s). Lower it or raise %2$s."
                            .formatted(parts == 1 ? "" : "a third of ", large.path(), text(most.get())));
        }
    }

    private void fault(Key<?> key, int source, String problem) {
        Setting setting = settings.find(key.path(source));
        String value = setting == null ? String.valueOf(key.standard()) : setting.value();
        settings.fault(
                key.path(source), key.secrecy().mask(value), setting == null ? "default" : setting.origin(), problem);
    }

    private static String text(Duration duration) {
        return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + "s" : duration.toMillis() + "ms";
    }
}
