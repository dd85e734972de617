package io.outboxrelay.relay.rabbitmq;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The broker, and how events are sent to it.
 *
 * @param uri {@code amqp://} or {@code amqps://}, with credentials and virtual host
 * @param exchange template of the exchange's name
 * @param routingKey template of the routing key
 * @param topology what the relay does about a missing exchange
 * @param declarable the names that may be declared if the exchange is a template, which could otherwise create any
 *     number
 * @param cloudEvents whether the CloudEvents headers are sent too
 * @param heartbeat AMQP heartbeat: a silent connection counts as lost after two of them
 * @param connectTimeout maximum time for connecting
 * @param trustStore PKCS#12 or JKS file with the certificates to trust; null for those of the Java runtime
 * @param trustStorePassword its password; null for none
 * @param insecureSkipTlsVerification true to accept any certificate and any host name
 * @param management address of the management API, with credentials; null not to use it
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
        /** Declares a durable topic exchange; of a template, only the exchanges in {@link #declarable}. */
        DECLARE,
        /** Checks it when connecting, and reports that it is missing; events wait until it exists. */
        CHECK,
        /** Checks it only before publishing an event to it; the event waits until it exists. */
        NONE
    }

    /** Without exchanges to declare for a template, and without the management API. */
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

    /** Returns the same settings with the management API, which says whether a queue is down; null without it. */
    public BrokerSettings asking(@Nullable URI api) {
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
