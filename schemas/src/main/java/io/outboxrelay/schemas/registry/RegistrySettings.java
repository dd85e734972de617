package io.outboxrelay.schemas.registry;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a registry is and how it is asked.
 *
 * @param url what has {@code /subjects} below it; without user and password
 * @param credentials who asks
 * @param trust certificates to trust: a file with PEM certificates, or a PKCS#12 or JKS trust store; null for those of
 *     the Java runtime
 * @param trustPassword the trust store's password; null for none
 * @param timeout longest that one request may take, connecting included
 * @param attempts how often a request is made before the registry counts as away; 1 for no second one
 * @param remembered most versions, and most ids, that are kept in memory
 */
public record RegistrySettings(
        URI url,
        Credentials credentials,
        @Nullable Path trust,
        @Nullable String trustPassword,
        Duration timeout,
        int attempts,
        int remembered) {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int ATTEMPTS = 3;
    private static final int REMEMBERED = 10_000;

    /**
     * Checks the address.
     *
     * @throws IllegalArgumentException if it is not an http or https address, or holds user and password
     */
    public RegistrySettings {
        String scheme = url.getScheme();
        if (!"http".equals(scheme) && !"https".equals(scheme) || url.getHost() == null) {
            throw new IllegalArgumentException("The address of a registry begins with http:// or https:// and a host");
        }
        if (url.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "The address of a registry contains a user or password; set them separately, so that they stay out"
                            + " of logs");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "The address of a registry ends with its path, such as /apis/ccompat/v7");
        }
        if (attempts < 1 || remembered < 1 || timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout, attempts and remembered are more than nothing");
        }
    }

    /**
     * Three attempts of 5 s, 10,000 versions remembered, the Java runtime's certificates.
     *
     * @param url what has {@code /subjects} below it
     * @param credentials who asks
     */
    public RegistrySettings(URI url, Credentials credentials) {
        this(url, credentials, null, null, TIMEOUT, ATTEMPTS, REMEMBERED);
    }

    /** Returns the same with other certificates to trust. */
    public RegistrySettings trusting(Path certificates, @Nullable String password) {
        return new RegistrySettings(url, credentials, certificates, password, timeout, attempts, remembered);
    }

    /** Returns the same with another patience. */
    public RegistrySettings patient(Duration longestRequest, int mostAttempts) {
        return new RegistrySettings(url, credentials, trust, trustPassword, longestRequest, mostAttempts, remembered);
    }

    /** Without secrets. */
    @Override
    public String toString() {
        return "RegistrySettings[url=%s, credentials=%s, trust=%s, timeout=%s]"
                .formatted(url, credentials, trust, timeout);
    }
}
