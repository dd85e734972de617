package io.outboxrelay.relay.rabbitmq;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The broker and what is sent to it.
 *
 * @param uri {@code amqp://} or {@code amqps://}, with credentials and virtual host
 * @param exchange template of the exchange's name
 * @param routingKey template of the routing key
 * @param topology what is done about the exchange when connecting
 * @param declarable where the exchange is a template, the names that may be declared: events may make names without bound
 * @param cloudEvents whether the CloudEvents headers are sent too
 * @param heartbeat AMQP heartbeat: a silent connection counts as lost after two of them
 * @param connectTimeout longest that connecting may take
 * @param trustStore PKCS#12 or JKS file with the certificates to trust; null for those of the Java runtime
 * @param trustStorePassword its password; null for none
 * @param insecureSkipTlsVerification true to accept any certificate and any host name
 * @param management address of the management API, with credentials; null to ask nothing there
 */
public record BrokerSettings(
        URI uri,
        String exchange,
        String routingKey,
        Topology topology,
        Set<String> declarable,
        boolean cloudEvents,
        Duration heartbeat,
        Duration connectTimeout,
        @Nullable Path trustStore,
        @Nullable String trustStorePassword,
        boolean insecureSkipTlsVerification,
        @Nullable URI management) {

    /** What the relay does about an exchange before it first publishes to it. */
    public enum Topology {
        /** Declares a durable topic exchange, of a template only those that are named. */
        DECLARE,
        /** Looks for it when connecting, and says so when it is missing; events wait until it is there. */
        CHECK,
        /** Looks for it only when an event is to go there; that one waits until it is there. */
        NONE
    }

    /** Those of one exchange, or of a template none of whose exchanges is declared, without the management API. */
    public BrokerSettings(
            URI uri,
            String exchange,
            String routingKey,
            Topology topology,
            boolean cloudEvents,
            Duration heartbeat,
            Duration connectTimeout,
            @Nullable Path trustStore,
            @Nullable String trustStorePassword,
            boolean insecureSkipTlsVerification) {
        this(
                uri,
                exchange,
                routingKey,
                topology,
                Set.of(),
                cloudEvents,
                heartbeat,
                connectTimeout,
                trustStore,
                trustStorePassword,
                insecureSkipTlsVerification,
                null);
    }

    /** Returns the same with the management API, which says whether a queue is down. */
    public BrokerSettings asking(URI api) {
        return new BrokerSettings(
                uri,
                exchange,
                routingKey,
                topology,
                declarable,
                cloudEvents,
                heartbeat,
                connectTimeout,
                trustStore,
                trustStorePassword,
                insecureSkipTlsVerification,
                api);
    }

    /** Returns whether an exchange is declared when it is missing. */
    boolean declares(String name) {
        return topology == Topology.DECLARE && (name.equals(exchange) || declarable.contains(name));
    }

    @Override
    public String toString() {
        return "BrokerSettings[host=%s, exchange=%s]".formatted(uri.getHost(), exchange);
    }
}
