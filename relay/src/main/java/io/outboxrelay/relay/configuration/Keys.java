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

/** The catalogue: reading, {@code check-config} and the table in {@code docs/configuration.md} follow it. */
final class Keys {

    static final Key<String> INSTANCE = optional(
            "instance",
            Kind.matching("name", "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
            "Name of this relay among those that share its sources. Each process adds a suffix of its own, so two with the same name share the lanes. "
                    + "Without it: the host name and a random suffix, another at every start.");

    static final Key<String> SOURCE_NAME = required(
            "sources[].name",
            Kind.matching("name", "[a-z][a-z0-9_-]{0,62}"),
            "What the source is called in logs, metrics and commands; `app_id` of its messages.");
    static final Key<String> SOURCE_URL = required(
                    "sources[].url",
                    Kind.databaseUrl(),
                    "The database, such as `jdbc:postgresql://localhost:5432/orders` or `jdbc:mariadb://localhost:3306/orders`,"
                            + " without user and password.")
            .hidden(Secrecy.URL);
    static final Key<String> SOURCE_USER =
            required("sources[].user", Kind.text(), "Database user; the rights of the role `outbox_relay` are enough.");
    static final Key<String> SOURCE_PASSWORD =
            of("sources[].password", Kind.secret(), "", "The user's password.").hidden(Secrecy.SECRET);
    static final Key<String> SOURCE_SCHEMA = of(
            "sources[].schema",
            Kind.matching("name", "[a-z_][a-z0-9_]{0,62}"),
            "public",
            "Database schema that holds the outbox; in MariaDB and MySQL a database, and `public` is that of the URL.");
    static final Key<Integer> SOURCE_POOL_SIZE = of(
            "sources[].pool-size",
            count(1, 1000),
            "10",
            "Most connections to the database; a lane uses one while it reads or settles.");
    static final Key<Duration> SOURCE_STATEMENT_TIMEOUT = of(
            "sources[].statement-timeout", Kind.seconds(), "5s", "Longest that one statement may take, at least 1 s.");
    static final Key<SourceSettings.Wakeup> SOURCE_WAKEUP = of(
            "sources[].wakeup",
            Kind.choice(SourceSettings.Wakeup.class),
            "none",
            "`notify` finds an event at once that is written while nothing was coming, instead of within `poll.max`: PostgreSQL "
                    + "calls the relay, once the owner of the tables has said `SELECT outbox_wakeup(true)`. With several relays of one "
                    + "source, idle lanes of one still wait for `poll.max` while another is busy.");
    static final Key<Duration> SOURCE_RETAIN = optional(
            "sources[].retain",
            Kind.days(),
            "How long published events are kept, such as `7d`, so that they can be replayed: from 1 h to 3650 days, and up to a "
                    + "day longer. Without it they are deleted at once. The same for all relays of a source.");

    static final Key<GateSettings.Mode> SOURCE_SCHEMAS = of(
            "sources[].schemas",
            Kind.choice(GateSettings.Mode.class),
            "off",
            "Whether an event is published only when its schema is a version of its subject: in the `catalogue` of "
                    + "contracts, or in the `registry`.");

    static final Key<Path> SCHEMAS_CATALOGUE = optional(
            "schemas.catalogue",
            Kind.file(),
            "Folder or jar with the contracts. Needed for `sources[].schemas: catalogue`; with `registry` it serves to "
                    + "find subjects and to explain.");
    static final Key<String> SCHEMAS_SUBJECT = of(
            "schemas.subject",
            Kind.subjectTemplate(),
            "{event_type}",
            "Template of the subject of an event that names none in `cloudEvents_dataschema` and whose type is in no "
                    + "catalogue; types are put in as they stand.");
    static final Key<URI> REGISTRY_URL = optional(
                    "schemas.registry.url",
                    Kind.registryUrl(),
                    "What has `/subjects` below it, such as `https://registry:8080/apis/ccompat/v7`, without user and "
                            + "password.")
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
            "PEM, PKCS#12 or JKS file with the certificates to trust. Without it: those of the Java runtime.");
    static final Key<String> REGISTRY_TRUST_PASSWORD = optional(
                    "schemas.registry.tls.trust-store-password", Kind.secret(), "Password of the trust store.")
            .hidden(Secrecy.SECRET);
    static final Key<Duration> REGISTRY_TIMEOUT = of(
            "schemas.registry.timeout",
            duration(),
            "2s",
            "Longest that the registry may take to answer before it counts as away.");

    static final Key<URI> BROKER_URI = required(
                    "broker.uri",
                    Kind.brokerUri(),
                    "RabbitMQ, such as `amqp://user:password@localhost:5672/%2f`; `amqps://` for TLS.")
            .hidden(Secrecy.URL);
    static final Key<String> BROKER_EXCHANGE =
            of("broker.exchange", Kind.exchangeTemplate(), "events", "Name of the exchange, or a template of it.");
    static final Key<String> BROKER_ROUTING_KEY =
            of("broker.routing-key", Kind.template(), "{aggregate_type}.{event_type}", "Template of the routing key.");
    static final Key<BrokerSettings.Topology> BROKER_TOPOLOGY = of(
            "broker.topology",
            Kind.choice(BrokerSettings.Topology.class),
            "declare",
            "What is done about an exchange before the first event goes to it: `declare` it as a durable topic exchange (of a "
                    + "template only those in `broker.declare-exchanges`), "
                    + "`check` at every connecting that it exists, or look only when an event needs it, `none`.");
    static final Key<Set<String>> BROKER_DECLARE_EXCHANGES = optional(
            "broker.declare-exchanges",
            Kind.exchanges(),
            "Where `broker.exchange` is a template: the exchanges that `declare` may make, separated by commas, such as "
                    + "`order, invoice`. All others must exist already: otherwise a writer of events could create any number of them.");
    static final Key<Boolean> BROKER_CLOUDEVENTS =
            of("broker.cloudevents", flag(), "false", "Whether each message carries the headers of CloudEvents too.");
    static final Key<Duration> BROKER_HEARTBEAT = of(
            "broker.heartbeat",
            Kind.seconds(),
            "10s",
            "AMQP heartbeat, at least 1 s: a connection silent for two of them counts as lost.");
    static final Key<Duration> BROKER_CONNECT_TIMEOUT =
            of("broker.connect-timeout", duration(), "10s", "Longest that connecting to the broker may take.");
    static final Key<Path> BROKER_TRUST_STORE = optional(
            "broker.tls.trust-store",
            Kind.file(),
            "PKCS#12 or JKS file with the certificates to trust. Without it: those of the Java runtime.");
    static final Key<String> BROKER_TRUST_STORE_PASSWORD = optional(
                    "broker.tls.trust-store-password", Kind.secret(), "Password of the trust store.")
            .hidden(Secrecy.SECRET);
    static final Key<Boolean> BROKER_INSECURE = of(
            "broker.tls.insecure-skip-verification",
            flag(),
            "false",
            "`true` accepts any certificate and any host name of the broker: an attacker in between can read and change the events. "
                    + "The certificate of `broker.management-uri` is verified all the same.");

    static final Key<URI> BROKER_MANAGEMENT = optional(
                    "broker.management-uri",
                    Kind.managementUri(),
                    "Address of RabbitMQ's management API, such as `https://user:password@rabbit:15671`. With it the relay can "
                            + "tell a queue that is down from one that nobody has bound. Without user and password those of "
                            + "`broker.uri`; the user needs the tag `management` and the virtual host.")
            .hidden(Secrecy.URL);

    static final Key<Integer> BATCH_EVENTS =
            of("publish.batch-events", count(1, 100_000), "1000", "Most events that a lane reads at a time.");
    static final Key<Long> BATCH_BYTES = of(
            "publish.batch-bytes",
            size(1024),
            "8MiB",
            "Most payload bytes that a lane reads at a time; a single larger event is read all the same.");
    static final Key<Integer> EVENTS_PER_AGGREGATE = of(
            "publish.events-per-aggregate",
            count(1, 100_000),
            "100",
            "Most events of one aggregate at a time, so that a busy one does not hold up its lane.");
    static final Key<Integer> WINDOW_EVENTS = of(
            "publish.window-events",
            count(1, 100_000),
            "1000",
            "Most events of a lane that are published and not yet confirmed.");
    static final Key<Long> WINDOW_BYTES = of(
            "publish.window-bytes",
            size(1024),
            "16MiB",
            "Most payload bytes of a lane that are published and not yet confirmed.");
    static final Key<Long> MAX_EVENT_BYTES =
            of("publish.max-event-bytes", size(512), "16MiB", "An event with a larger payload is refused.");
    static final Key<Duration> CONFIRM_DEADLINE = of(
            "publish.confirm-deadline",
            duration(),
            "7s",
            "How long the broker may take to confirm an event before it counts as unconfirmed.");

    static final Key<Integer> MAX_ATTEMPTS = of(
            "retry.max-attempts",
            count(1, 1_000_000),
            "10",
            "How often the broker must have returned an event before it is parked; `retry.park-after` must have passed as "
                    + "well. Full queues and outages spend no attempt.");
    static final Key<Duration> PARK_AFTER = of(
            "retry.park-after",
            duration(),
            "5m",
            "How long the broker must have returned an event (no queue, no exchange, no right to it) before it is parked. "
                    + "Make it longer than the restart of a broker's node: a classic queue whose node is down looks like a "
                    + "missing one.");
    static final Key<Boolean> RESUME = of(
            "retry.resume",
            flag(),
            "true",
            "Whether an event that was parked because the broker returned it is still tried, about every "
                    + "`retry.park-after`, so that it is published by itself once the cause has gone. Only where later events "
                    + "of its aggregate wait for it.");
    static final Key<Duration> FIRST_BACKOFF = of(
            "retry.first-backoff",
            duration(),
            "500ms",
            "Longest wait before the second attempt; it doubles with each.");
    static final Key<Duration> LONGEST_BACKOFF =
            of("retry.longest-backoff", duration(), "30s", "Longest wait between two attempts.");
    static final Key<ByRoute<OnPark>> ON_PARK = of(
            "retry.on-park",
            Kind.byRoute(OnPark.class),
            "block",
            "What later events of an aggregate do behind a parked one: wait for a person's decision, `block`, or go on "
                    + "without it, `continue`. For certain types: `block, Invoice/InvoiceSent=continue`, `*` for every type.");
    static final Key<ByRoute<Unroutable>> UNROUTABLE = of(
            "retry.unroutable",
            Kind.byRoute(Unroutable.class),
            "park",
            "What becomes of an event that no queue is bound for: `park` it after its attempts, or `drop` it, as nobody is "
                    + "interested. For certain types: `park, Cart/*=drop`.");

    static final Key<Duration> LEASE_DURATION = of(
            "lease.duration",
            duration(),
            "15s",
            "How long a lane stays with a relay that has died. More than `publish.confirm-deadline`, the statement "
                    + "timeout and 1s together.");
    static final Key<Duration> LEASE_HEARTBEAT =
            of("lease.heartbeat", duration(), "1s", "How often leases are renewed; at most a third of their duration.");

    static final Key<Duration> POLL_MIN =
            of("poll.min", duration(), "5ms", "Wait between two looks at idle lanes while events are coming.");
    static final Key<Duration> POLL_MAX =
            of("poll.max", duration(), "50ms", "Wait between two looks at idle lanes after a while without events.");

    static final Key<Duration> GRACE_PERIOD =
            of("drain.grace-period", duration(), "20s", "Longest that draining may take after SIGTERM.");

    static final Key<String> HTTP_HOST =
            of("http.host", Kind.text(), "0.0.0.0", "Address on which health and metrics are served.");
    static final Key<Integer> HTTP_PORT = of(
            "http.port", count(0, 65535), "8080", "Port on which health and metrics are served; `0` for any free one.");

    static final Key<HttpSettings.Details> HTTP_DETAILS = of(
            "http.details",
            Kind.choice(HttpSettings.Details.class),
            "loopback",
            "Who is told by `/health/ready` why the relay is not ready, with addresses and errors: whoever asks on its own "
                    + "machine, or `everyone`. The others get the status alone.");

    static final Key<LogSettings.Format> LOG_FORMAT = of(
            "log.format",
            Kind.choice(LogSettings.Format.class),
            "text",
            "Lines for people, or one JSON object a line.");
    static final Key<LogSettings.Level> LOG_LEVEL = of(
            "log.level",
            Kind.choice(LogSettings.Level.class),
            "info",
            "The least severe level that is logged; of libraries `warn` and `error` only.");

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

    /** What somebody may have meant. */
    static final class Suggestion {

        private Suggestion() {}

        /** {@return a sentence that names the candidate nearest to the word, or none if none is near} */
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
