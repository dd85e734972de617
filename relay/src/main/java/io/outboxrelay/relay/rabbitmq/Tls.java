package io.outboxrelay.relay.rabbitmq;

import io.outboxrelay.relay.lane.Help;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far an {@code amqps} broker is trusted: chain and host name of its certificate are verified, unless told
 * otherwise.
 */
final class Tls {

    private static final Logger LOG = LoggerFactory.getLogger(Tls.class);

    private Tls() {}

    /**
     * Makes a factory's connections use TLS.
     *
     * @throws GeneralSecurityException if the runtime has no TLS, or no use for the trust store
     * @throws IOException if the trust store cannot be read
     */
    static void use(BurstConnectionFactory factory, BrokerSettings settings)
            throws GeneralSecurityException, IOException {
        if (settings.insecureSkipTlsVerification()) {
            factory.useSslProtocol();
            LOG.warn(
                    Help.VERIFICATION_OFF,
                    "broker.tls.insecure-skip-verification is on: any server that answers at {} is trusted, and can"
                            + " read and change every event",
                    factory.getHost());
            return;
        }
        factory.useSslProtocol(context(settings));
        factory.enableHostnameVerification();
    }

    /**
     * {@return a context that trusts only the certificates of the settings}
     *
     * @throws GeneralSecurityException if the runtime has no TLS, or no use for the trust store
     * @throws IOException if the trust store cannot be read
     */
    static SSLContext context(BrokerSettings settings) throws GeneralSecurityException, IOException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trustStore(settings));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static @Nullable KeyStore trustStore(BrokerSettings settings) throws GeneralSecurityException, IOException {
        if (settings.trustStore() == null) {
            return null; // the runtime's own
        }
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        String password = settings.trustStorePassword();
        try (InputStream file = Files.newInputStream(settings.trustStore())) {
            store.load(file, password == null ? null : password.toCharArray());
        }
        return store;
    }
}
