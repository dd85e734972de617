package io.outboxrelay.bench;

import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The configuration of a relay in a chaos run: as impatient as the rules between the keys allow, so that a minute has
 * room for many faults.
 *
 * @param instance the relay's name
 * @param amqpUri the broker
 * @param sources the databases that it serves
 * @param inbox the consumers' database, for commands; a relay does not use it
 */
record RelayFile(String instance, String amqpUri, List<ChaosSource> sources, TestDatabase inbox) {

    /** How long a lane stays with a relay that is dead or frozen. */
    static final Duration LEASE = Duration.ofSeconds(5);

    /** Options that make a short-lived JVM start sooner. */
    static final String SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

    /**
     * The file's text; secrets are in {@link #environment}. Batches are small, so that many faults hit the middle of
     * one.
     */
    String yaml() {
        StringBuilder yaml = new StringBuilder("instance: %s\nsources:\n".formatted(instance));
        for (ChaosSource source : sources) {
            yaml.append("""
                      - name: %s
                        url: %s
                        user: %s
                        password: ${%s}
                        statement-timeout: 1s
                    """.formatted(
                            source.name(),
                            source.database().jdbcUrl(),
                            source.database().user(),
                            variable(source)));
        }
        return yaml.append("""
                inboxes:
                  - name: %s
                    url: %s
                    user: %s
                    password: ${OUTBOX_BENCH_PASSWORD_INBOX}
                broker:
                  uri: ${OUTBOX_BENCH_URI}
                  exchange: %s
                  heartbeat: 1s
                  connect-timeout: 2s
                publish:
                  batch-events: 60
                  confirm-deadline: 2s
                retry:
                  max-attempts: 4
                  park-after: 3s
                  first-backoff: 200ms
                  longest-backoff: 2s
                lease:
                  duration: %ds
                  heartbeat: 500ms
                drain:
                  grace-period: 3s
                http:
                  host: 127.0.0.1
                  port: 0
                """.formatted(
                        ChaosConsumer.CONSUMER, inbox.jdbcUrl(), inbox.user(), ChaosQueues.EXCHANGE, LEASE.toSeconds()))
                .toString();
    }

    /** The variables that the file uses, and options of the JVM. */
    Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("OUTBOX_BENCH_URI", amqpUri);
        environment.put("OUTBOX_BENCH_PASSWORD_INBOX", inbox.password());
        sources.forEach(
                source -> environment.put(variable(source), source.database().password()));
        environment.put("JDK_JAVA_OPTIONS", SHORT_LIVED);
        return environment;
    }

    private static String variable(ChaosSource source) {
        return "OUTBOX_BENCH_PASSWORD_" + source.name().toUpperCase(Locale.ROOT);
    }
}
