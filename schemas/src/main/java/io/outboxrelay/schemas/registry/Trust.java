package io.outboxrelay.schemas.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Makes a TLS context that trusts the certificates of a file and no others. */
final class Trust {

    private static final String PEM = "-----BEGIN CERTIFICATE-----";

    private Trust() {}

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException if it cannot be read, naming it
     */
    static SSLContext context(Path file, @Nullable String password) {
        try {
            byte[] content = Files.readAllBytes(file);
            boolean pem = new String(content, StandardCharsets.ISO_8859_1).contains(PEM);
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(pem ? certificates(content) : store(content, password));
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "The certificates to trust in " + file + " cannot be read (PEM, PKCS#12 or JKS): " + e, e);
        }
    }

    private static KeyStore certificates(byte[] pem) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        for (Certificate certificate :
                CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem))) {
            store.setCertificateEntry("certificate-" + number++, certificate);
        }
        return store;
    }

    private static KeyStore store(byte[] content, @Nullable String password)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(new ByteArrayInputStream(content), password == null ? null : password.toCharArray());
        if (store.size() == 0) {
            throw new GeneralSecurityException("it holds no certificate that could be read with this password");
        }
        return store;
    }
}
