package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.CertificateAuthority;
import io.outboxrelay.relay.testing.CertificateAuthority.Issued;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whom the relay takes for its broker. The broker and its TLS are RabbitMQ's own, the certificates are the test's. */
@Tag("server")
class TlsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final CertificateAuthority TRUSTED = new CertificateAuthority("trusted");
    private static final CertificateAuthority STRANGER = new CertificateAuthority("stranger");

    @TempDir
    static Path folder;

    private static PrivateRabbitMq server;
    private static TestVirtualHost host;
    private static Path trustStore;

    private final LogLines log = new LogLines();
    private final List<Broker> brokers = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = Servers.startPrivateRabbitMq();
        host = server.newVirtualHost();
        trustStore = TRUSTED.trustStore(folder);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void disconnect() {
        brokers.forEach(Broker::close);
        log.close();
    }

    // hazard 44
    @Test
    void a_certificate_of_a_trusted_authority_for_the_right_host_is_accepted() {
        present(TRUSTED.issue("localhost"));

        awaitConnected(connect(verifying()));
    }

    // hazard 44
    @Test
    void a_certificate_of_a_stranger_is_refused_and_said_to_be_one() {
        present(STRANGER.issue("localhost"));

        awaitTrouble(connect(verifying()), "this relay does not trust the issuer of the broker's certificate");
        awaitTrouble(connect(settings(null, false)), "does not trust the issuer of the broker's certificate");
    }

    // hazard 44
    @Test
    void a_certificate_for_another_host_is_refused_although_its_authority_is_trusted() {
        present(TRUSTED.issue("broker.example"));

        awaitTrouble(
                connect(verifying()),
                "the broker's certificate is not accepted for the host in broker.uri: No subject alternative DNS name"
                        + " matching localhost found");
    }

    // hazard 44
    @Test
    void a_certificate_that_expires_while_the_relay_runs_is_refused_by_that_name_until_it_is_replaced() {
        present(TRUSTED.issue("localhost"));
        Broker broker = connect(verifying());
        awaitConnected(broker);

        present(TRUSTED.issue("localhost", Instant.now().minus(Duration.ofHours(1))));
        server.control("close_all_connections", "the certificate is replaced");

        awaitTrouble(broker, "the broker's certificate has expired, NotAfter: ");
        assertThat(broker.trouble().orElseThrow())
                .contains("no connection to the broker localhost:" + server.tlsPort());

        present(TRUSTED.issue("localhost"));
        awaitConnected(broker);
        assertThat(log.complaints("the broker localhost:" + server.tlsPort()))
                .as("said at once, and then once a minute")
                .hasSizeLessThanOrEqualTo(3);
    }

    // hazard 44
    @Test
    void whoever_turns_the_verification_off_is_told_what_that_means() {
        present(STRANGER.issue("broker.example"));

        awaitConnected(connect(settings(null, true)));

        assertThat(log.complaints("broker.tls.insecure-skip-verification is on"))
                .containsExactly(
                        "broker.tls.insecure-skip-verification is on: any server that answers at localhost is trusted,"
                                + " and can read and change every event");
    }

    @Test
    void a_trust_store_that_cannot_be_read_is_named_at_the_start() {
        assertThatThrownBy(() -> new Broker("orders", "relay-1", settings(folder.resolve("missing.p12"), false)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("missing.p12");
    }

    private static void present(Issued certificate) {
        server.listenForTls(certificate.der(), certificate.key());
    }

    private Broker connect(BrokerSettings settings) {
        Broker broker = new Broker("orders", "relay-1", settings);
        brokers.add(broker);
        broker.start();
        return broker;
    }

    private static void awaitConnected(Broker broker) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(broker.trouble()).isEmpty());
        assertThat(broker.openChannel()).isPresent();
    }

    private static void awaitTrouble(Broker broker, String words) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(broker.trouble().orElse("none")).contains(words));
        assertThat(broker.openChannel()).isEmpty();
    }

    private static BrokerSettings verifying() {
        return settings(trustStore, false);
    }

    private static BrokerSettings settings(@Nullable Path trusted, boolean skipVerification) {
        return new BrokerSettings(
                URI.create("amqps://%s:%s@localhost:%d/%s"
                        .formatted(host.user(), host.password(), server.tlsPort(), host.name())),
                "events",
                "{event_type}",
                Topology.NONE,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(10),
                trusted,
                trusted == null ? null : CertificateAuthority.PASSWORD,
                skipVerification);
    }
}
