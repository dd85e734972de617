package io.outboxrelay.relay.configuration;

import static io.outboxrelay.relay.configuration.Key.of;
import static io.outboxrelay.relay.configuration.Key.optional;
import static io.outboxrelay.relay.configuration.Key.required;
import static io.outboxrelay.relay.configuration.Kind.count;
import static io.outboxrelay.relay.configuration.Kind.duration;
import static io.outboxrelay.relay.configuration.Kind.flag;
import static io.outboxrelay.relay.configuration.Kind.size;

import io.outboxrelay.relay.configuration.Key.Secrecy;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.SourceSettings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** All keys; reading, {@code check-config} and the table in {@code docs/configuration.md} follow this list. */
final class Keys {

    static final Key<String> INSTANCE = optional(
            "instance",
            Kind.matching("name", "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
            "Name of this relay among those that share its sources. The relay appends a random text to it at "
                    + "every start, so two relays with the same name share the lanes. Default: the host name "
                    + "and a random suffix.");

    static final Key<String> SOURCE_NAME = required(
            "sources[].name",
            Kind.matching("name", "[a-z][a-z0-9_-]{0,62}"),
            "Name of the source in logs, metrics and commands; `app_id` of its messages.");
    static final Key<String> SOURCE_URL = required(
                    "sources[].url",
                    Kind.databaseUrl(),
                    "JDBC URL of the database, for example `jdbc:postgresql://localhost:5432/orders` or "
                            + "`jdbc:mariadb://localhost:3306/orders`, without user and password.")
            .hidden(Secrecy.URL);
    static final Key<String> SOURCE_USER =
            required("sources[].user", Kind.text(), "Database user; the rights of the role `outbox_relay` are enough.");
    static final Key<String> SOURCE_PASSWORD =
            of("sources[].password", Kind.secret(), "", "The user's password.").hidden(Secrecy.SECRET);
    static final Key<String> SOURCE_SCHEMA = of(
            "sources[].schema",
            Kind.matching("name", "[a-z_][a-z0-9_]{0,62}"),
            "public",
            "Database schema that contains the outbox. In MariaDB and MySQL this is a database, "
                    + "and `public` means the one in the URL.");
    static final Key<Integer> SOURCE_POOL_SIZE = of(
            "sources[].pool-size",
            count(1, 1000),
            "10",
            "Maximum number of database connections. A lane uses one while it reads or settles.");
    static final Key<Duration> SOURCE_STATEMENT_TIMEOUT =
            of("sources[].statement-timeout", Kind.seconds(), "5s", "Maximum time for one statement, at least 1 s.");
    static final Key<SourceSettings.Wakeup> SOURCE_WAKEUP = of(
            "sources[].wakeup",
            Kind.choice(SourceSettings.Wakeup.class),
            "none",
            "With `notify`, PostgreSQL wakes a sleeping relay when a transaction that wrote an event commits. The "
                    + "owner of the tables must first run `SELECT outbox_wakeup(true)`. While it sleeps, the relay "
                    + "polls only once a second, or every `poll.max` if that is longer; of several relays that "
                    + "sleep, this is true of one, and the others poll every `poll.max`. An event that was inserted "
                    + "just before the relay fell asleep, and committed after it, waits for that poll.");
    static final Key<Duration> SOURCE_RETAIN = optional(
            "sources[].retain",
            Kind.days(),
            "How long published events are retained for `replay` and `subscribe`, for example `7d`: "
                    + "from 1 h to 3650 days, and up to a day longer. Unset: published events are deleted "
                    + "at once. Use the same value for all relays of a source.");

    static final Key<GateSettings.Mode> SOURCE_SCHEMAS = of(
            "sources[].schemas",
            Kind.choice(GateSettings.Mode.class),
            "off",
            "Publish an event only if its schema is a version of its subject, either in the "
                    + "`catalogue` of contracts or in the `registry`.");

    static final Key<String> INBOX_NAME = required(
            "inboxes[].name",
            Kind.matching("name", "[a-z][a-z0-9_-]{0,62}"),
            "Name of the database in commands. A list of databases that have an inbox and are no sources: "
                    + "only commands about consumers use them. The inbox of a source needs no entry.");
    static final Key<String> INBOX_URL = required(
                    "inboxes[].url", Kind.databaseUrl(), "JDBC URL of the database, without user and password.")
            .hidden(Secrecy.URL);
    static final Key<String> INBOX_USER = required(
            "inboxes[].user",
            Kind.text(),
            "Database user; the rights of the role `outbox_consumer` are enough to inspect.");
    static final Key<String> INBOX_PASSWORD =
            of("inboxes[].password", Kind.secret(), "", "The user's password.").hidden(Secrecy.SECRET);
    static final Key<String> INBOX_SCHEMA = of(
            "inboxes[].schema",
            Kind.matching("name", "[a-z_][a-z0-9_]{0,62}"),
            "public",
            "Database schema that contains the inbox. In MariaDB and MySQL this is a database, "
                    + "and `public` means the one in the URL.");

    static final Key<Path> SCHEMAS_CATALOGUE = optional(
            "schemas.catalogue",
            Kind.file(),
            "Folder or jar that contains the contracts. Required by `sources[].schemas: "
                    + "catalogue`. With `registry` it only helps to find subjects and to explain faults.");
    static final Key<String> SCHEMAS_SUBJECT = of(
            "schemas.subject",
            Kind.subjectTemplate(),
            "{event_type}",
            "Template of the subject of an event that has no `cloudEvents_dataschema` and whose "
                    + "type is in no catalogue. Types are inserted unchanged.");
    static final Key<URI> REGISTRY_URL = optional(
                    "schemas.registry.url",
                    Kind.registryUrl(),
                    "Base URL of the registry API, without `/subjects`, user and password, for example "
                            + "`https://registry:8080/apis/ccompat/v7`.")
            .hidden(Secrecy.URL);
    static final Key<String> REGISTRY_USER =
            optional("schemas.registry.user", Kind.text(), "User for basic authentication.");
    static final Key<String> REGISTRY_PASSWORD = optional(
                    "schemas.registry.password", Kind.secret(), "The user's password.")
            .hidden(Secrecy.SECRET);
    static final Key<String> REGISTRY_TOKEN = optional(
                    "schemas.registry.token", Kind.token(), "Token for bearer authentication.")
            .hidden(Secrecy.SECRET);
    static final Key<Path> REGISTRY_TRUST = optional(
            "schemas.registry.tls.trust-store",
            Kind.file(),
            "PEM, PKCS#12 or JKS file with the certificates to trust. Default: those of the Java " + "runtime.");
    static final Key<String> REGISTRY_TRUST_PASSWORD = optional(
                    "schemas.registry.tls.trust-store-password", Kind.secret(), "Password of the trust store.")
            .hidden(Secrecy.SECRET);
    static final Key<Duration> REGISTRY_TIMEOUT = of(
            "schemas.registry.timeout",
            duration(),
            "2s",
            "Maximum time for an answer of the registry; after that it counts as unreachable.");

    static final Key<URI> BROKER_URI = required(
                    "broker.uri",
                    Kind.brokerUri(),
                    "Address of RabbitMQ, for example `amqp://user:password@localhost:5672/%2f`; "
                            + "`amqps://` for TLS.")
            .hidden(Secrecy.URL);
    static final Key<String> BROKER_EXCHANGE =
            of("broker.exchange", Kind.exchangeTemplate(), "events", "Name of the exchange, or a template for it.");
    static final Key<String> BROKER_ROUTING_KEY =
            of("broker.routing-key", Kind.template(), "{aggregate_type}.{event}", "Template of the routing key.");
    static final Key<BrokerSettings.Topology> BROKER_TOPOLOGY = of(
            "broker.topology",
            Kind.choice(BrokerSettings.Topology.class),
            "declare",
            "What the relay does with an exchange before the first event goes to it. `declare`: "
                    + "declare it as a durable topic exchange (with a template, only those in "
                    + "`broker.declare-exchanges`). `check`: check at every connect that it exists. `none`: "
                    + "check only when an event needs it.");
    static final Key<Set<String>> BROKER_DECLARE_EXCHANGES = optional(
            "broker.declare-exchanges",
            Kind.exchanges(),
            "If `broker.exchange` is a template: the exchanges that `declare` may create, "
                    + "separated by commas, for example `order, invoice`. All others must already exist; "
                    + "otherwise anybody who can write events could create any number of exchanges.");
    static final Key<Boolean> BROKER_CLOUDEVENTS =
            of("broker.cloudevents", flag(), "false", "Add the CloudEvents headers to each message.");
    static final Key<Duration> BROKER_HEARTBEAT = of(
            "broker.heartbeat",
            Kind.seconds(),
            "10s",
            "AMQP heartbeat, at least 1 s. A connection that is silent for two heartbeats counts " + "as lost.");
    static final Key<Duration> BROKER_CONNECT_TIMEOUT =
            of("broker.connect-timeout", duration(), "10s", "Maximum time for connecting to the broker.");
    static final Key<Path> BROKER_TRUST_STORE = optional(
            "broker.tls.trust-store",
            Kind.file(),
            "PKCS#12 or JKS file with the certificates to trust. Default: those of the Java " + "runtime.");
    static final Key<String> BROKER_TRUST_STORE_PASSWORD = optional(
                    "broker.tls.trust-store-password", Kind.secret(), "Password of the trust store.")
            .hidden(Secrecy.SECRET);
    static final Key<Boolean> BROKER_INSECURE = of(
            "broker.tls.insecure-skip-verification",
            flag(),
            "false",
            "`true` accepts any certificate and any host name of the broker: an attacker in "
                    + "between can read and change the events. The certificate of `broker.management-uri` "
                    + "is still verified.");

    static final Key<URI> BROKER_MANAGEMENT = optional(
                    "broker.management-uri",
                    Kind.managementUri(),
                    "Address of RabbitMQ's management API, for example "
                            + "`https://user:password@rabbit:15671`. With it the relay can distinguish a queue that "
                            + "is down from one that is not bound. Without user and password, those of `broker.uri` "
                            + "are used. The user needs the tag `management` and access to the virtual host.")
            .hidden(Secrecy.URL);

    static final Key<Integer> BATCH_EVENTS = of(
            "publish.batch-events",
            count(1, 100_000),
            "1000",
            "Maximum number of events that a lane reads at" + " once.");
    static final Key<Long> BATCH_BYTES = of(
            "publish.batch-bytes",
            size(1024),
            "8MiB",
            "Maximum payload bytes that a lane reads at once. A single larger event is still " + "read.");
    static final Key<Integer> EVENTS_PER_AGGREGATE = of(
            "publish.events-per-aggregate",
            count(1, 100_000),
            "100",
            "Maximum number of events of one aggregate per batch, so that a busy aggregate does "
                    + "not hold up its lane.");
    static final Key<Integer> WINDOW_EVENTS =
            of("publish.window-events", count(1, 100_000), "1000", "Maximum number of unconfirmed events of a lane.");
    static final Key<Long> WINDOW_BYTES = of(
            "publish.window-bytes", size(1024), "16MiB", "Maximum payload bytes of the unconfirmed events of a lane.");
    static final Key<Long> MAX_EVENT_BYTES = of(
            "publish.max-event-bytes",
            size(512),
            "16MiB",
            "Maximum payload of an event. A larger event is" + " refused.");
    static final Key<Duration> CONFIRM_DEADLINE = of(
            "publish.confirm-deadline",
            duration(),
            "7s",
            "Maximum time for the broker to confirm an event; after that it counts as unconfirmed.");

    static final Key<Integer> MAX_ATTEMPTS = of(
            "retry.max-attempts",
            count(1, 1_000_000),
            "10",
            "Attempts before an event that the broker returns is parked; `retry.park-after` must "
                    + "have passed as well. Full queues and outages do not count as attempts.");
    static final Key<Duration> PARK_AFTER = of(
            "retry.park-after",
            duration(),
            "5m",
            "Minimum time for which the broker must have returned an event (no queue, no "
                    + "exchange, no permission) before it is parked. Use more than a broker node needs to "
                    + "restart: a classic queue whose node is down looks like a missing one.");
    static final Key<Boolean> RESUME = of(
            "retry.resume",
            flag(),
            "true",
            "Keep retrying an event that was parked because the broker returned it, about every "
                    + "`retry.park-after`, so that it is published without manual action once the cause is "
                    + "fixed. Applies only with `retry.on-park: block`.");
    static final Key<Duration> FIRST_BACKOFF = of(
            "retry.first-backoff",
            duration(),
            "500ms",
            "Maximum wait before the second attempt; doubles with each attempt.");
    static final Key<Duration> LONGEST_BACKOFF =
            of("retry.longest-backoff", duration(), "30s", "Maximum wait between two attempts.");
    static final Key<ByRoute<OnPark>> ON_PARK = of(
            "retry.on-park",
            Kind.byRoute(OnPark.class),
            "block",
            "What happens to later events of an aggregate when one is parked: with `block` they wait until "
                    + "it is published or discarded, with `continue` they are published. For some types only: "
                    + "`block, Invoice/InvoiceSent=continue`; `*` means every type.");
    static final Key<ByRoute<Unroutable>> UNROUTABLE = of(
            "retry.unroutable",
            Kind.byRoute(Unroutable.class),
            "park",
            "What happens to an event that no queue is bound for: `park` it after its attempts, "
                    + "or `drop` it if no consumer is required. For some types only: `park, Cart/*=drop`.");

    static final Key<Duration> LEASE_DURATION = of(
            "lease.duration",
            duration(),
            "15s",
            "How long a lane stays assigned to a relay that has died. Must be longer than the sum of "
                    + "`publish.confirm-deadline`, the statement timeout and 1 s.");
    static final Key<Duration> LEASE_HEARTBEAT = of(
            "lease.heartbeat",
            duration(),
            "1s",
            "Interval at which leases are renewed; at most a third of" + " their duration.");

    static final Key<Duration> POLL_MIN =
            of("poll.min", duration(), "1ms", "Shortest wait between two checks of the idle lanes.");
    static final Key<Duration> POLL_MAX = of(
            "poll.max",
            duration(),
            "50ms",
            "Longest wait between two checks of the idle lanes, unless the relay sleeps with `wakeup: notify`. A wait "
                    + "is an eighth of the time since the last event was published, but not shorter than "
                    + "`poll.min`.");

    static final Key<Duration> GRACE_PERIOD =
            of("drain.grace-period", duration(), "20s", "Maximum time for draining after SIGTERM.");

    static final Key<String> HTTP_HOST = of("http.host", Kind.text(), "0.0.0.0", "Address for health and metrics.");
    static final Key<Integer> HTTP_PORT =
            of("http.port", count(0, 65535), "8080", "Port for health and metrics; `0` for any free one.");

    static final Key<HttpSettings.Details> HTTP_DETAILS = of(
            "http.details",
            Kind.choice(HttpSettings.Details.class),
            "loopback",
            "Which clients see in `/health/ready` why the relay is not ready, with addresses and errors: "
                    + "those on the same machine (`loopback`), or `everyone`. All others see only the status.");

    static final Key<LogSettings.Format> LOG_FORMAT = of(
            "log.format",
            Kind.choice(LogSettings.Format.class),
            "text",
            "`text`: lines to read; `json`: one JSON object per line.");
    static final Key<LogSettings.Level> LOG_LEVEL = of(
            "log.level",
            Kind.choice(LogSettings.Level.class),
            "info",
            "Least severe level to log. Libraries log `warn` and `error` only.");

    /** In the order of the documents. */
    static final List<Key<?>> ALL = List.of(
            INSTANCE,
            SOURCE_NAME,
            SOURCE_URL,
            SOURCE_USER,
            SOURCE_PASSWORD,
            SOURCE_SCHEMA,
            SOURCE_POOL_SIZE,
            SOURCE_STATEMENT_TIMEOUT,
            SOURCE_WAKEUP,
            SOURCE_RETAIN,
            SOURCE_SCHEMAS,
            INBOX_NAME,
            INBOX_URL,
            INBOX_USER,
            INBOX_PASSWORD,
            INBOX_SCHEMA,
            SCHEMAS_CATALOGUE,
            SCHEMAS_SUBJECT,
            REGISTRY_URL,
            REGISTRY_USER,
            REGISTRY_PASSWORD,
            REGISTRY_TOKEN,
            REGISTRY_TRUST,
            REGISTRY_TRUST_PASSWORD,
            REGISTRY_TIMEOUT,
            BROKER_URI,
            BROKER_EXCHANGE,
            BROKER_ROUTING_KEY,
            BROKER_TOPOLOGY,
            BROKER_DECLARE_EXCHANGES,
            BROKER_CLOUDEVENTS,
            BROKER_HEARTBEAT,
            BROKER_CONNECT_TIMEOUT,
            BROKER_TRUST_STORE,
            BROKER_TRUST_STORE_PASSWORD,
            BROKER_INSECURE,
            BROKER_MANAGEMENT,
            BATCH_EVENTS,
            BATCH_BYTES,
            EVENTS_PER_AGGREGATE,
            WINDOW_EVENTS,
            WINDOW_BYTES,
            MAX_EVENT_BYTES,
            CONFIRM_DEADLINE,
            MAX_ATTEMPTS,
            PARK_AFTER,
            RESUME,
            FIRST_BACKOFF,
            LONGEST_BACKOFF,
            ON_PARK,
            UNROUTABLE,
            LEASE_DURATION,
            LEASE_HEARTBEAT,
            POLL_MIN,
            POLL_MAX,
            GRACE_PERIOD,
            HTTP_HOST,
            HTTP_PORT,
            HTTP_DETAILS,
            LOG_FORMAT,
            LOG_LEVEL);

    private Keys() {}

    /** Suggests what a misspelt key may have meant. */
    static final class Suggestion {

        private Suggestion() {}

        /** {@return a sentence that names the nearest candidate, or where all of them are listed} */
        static String nearest(String word, Collection<String> candidates) {
            return candidates.stream()
                    .filter(candidate -> distance(word, candidate) <= Math.max(2, word.length() / 4)
                            || candidate.endsWith("." + word))
                    .min(Comparator.comparingInt(candidate -> distance(word, candidate)))
                    .map(candidate -> " Did you mean " + candidate + "?")
                    .orElse(" See the table of keys in docs/configuration.md.");
        }

        /** Number of single-character changes between two words (Levenshtein). */
        private static int distance(String a, String b) {
            int[] row = new int[b.length() + 1];
            for (int j = 0; j <= b.length(); j++) {
                row[j] = j;
            }
            for (int i = 1; i <= a.length(); i++) {
                int diagonal = row[0];
                row[0] = i;
                for (int j = 1; j <= b.length(); j++) {
                    int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                    diagonal = row[j];
                    row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
                }
            }
            return row[b.length()];
        }
    }
}
