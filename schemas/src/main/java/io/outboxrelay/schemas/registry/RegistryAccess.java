package io.outboxrelay.schemas.registry;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which registry somebody means, and as whom they ask, in what they said or else in the environment. Secrets come from
 * files or from the environment, as the relay's do. What is null is looked up there.
 *
 * @param url what has {@code /subjects} below it; else {@code OUTBOX_RELAY_SCHEMAS_REGISTRY_URL}
 * @param user for basic authentication; else {@code …_USER}
 * @param passwordFile a file with the user's password; else {@code …_PASSWORD_FILE} names it, or {@code …_PASSWORD} is
 *     it
 * @param tokenFile a file with a bearer token; else {@code …_TOKEN_FILE} names it, or {@code …_TOKEN} is it
 * @param trust certificates to trust, as PEM, PKCS#12 or JKS; else {@code …_TLS_TRUST_STORE}, else those of the Java
 *     runtime
 */
public record RegistryAccess(
        @Nullable String url,
        @Nullable String user,
        @Nullable Path passwordFile,
        @Nullable Path tokenFile,
        @Nullable Path trust) {

    /** What the variables' names begin with. */
    public static final String VARIABLES = "OUTBOX_RELAY_SCHEMAS_REGISTRY_";

    /**
     * Returns a client of the registry; nothing is asked yet.
     *
     * @param environment the variables
     * @throws IllegalArgumentException if no registry is named, or something is not understood or cannot be read
     */
    public Registry registry(Map<String, String> environment) {
        String address = url == null ? environment.get(VARIABLES + "URL") : url;
        if (address == null) {
            throw new IllegalArgumentException(
                    "Say which registry: no address is given, and the environment has no " + VARIABLES + "URL");
        }
        RegistrySettings settings = new RegistrySettings(uri(address), credentials(environment));
        Path certificates = trust == null
                ? Optional.ofNullable(environment.get(VARIABLES + "TLS_TRUST_STORE"))
                        .map(Path::of)
                        .orElse(null)
                : trust;
        return new Registry(
                certificates == null
                        ? settings
                        : settings.trusting(
                                certificates,
                                secret(null, "TLS_TRUST_STORE_PASSWORD", environment)
                                        .orElse(null)));
    }

    /** Says what is wrong with an address without repeating it: it may hold a password. */
    private static URI uri(String address) {
        try {
            return new URI(address);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("The address of the registry is not a URL: " + e.getReason()
                    + " at character " + (e.getIndex() + 1));
        }
    }

    private Credentials credentials(Map<String, String> environment) {
        Optional<String> token = secret(tokenFile, "TOKEN", environment);
        String name = user == null ? environment.get(VARIABLES + "USER") : user;
        if (token.isPresent() && name != null) {
            throw new IllegalArgumentException("A user and a token are given for the registry: choose one of them");
        }
        if (token.isPresent()) {
            return new Credentials.Bearer(token.get());
        }
        return name == null
                ? new Credentials.None()
                : new Credentials.Basic(
                        name, secret(passwordFile, "PASSWORD", environment).orElse(""));
    }

    private static Optional<String> secret(@Nullable Path file, String variable, Map<String, String> environment) {
        String named = environment.get(VARIABLES + variable + "_FILE");
        if (file == null && named == null) {
            return Optional.ofNullable(environment.get(VARIABLES + variable));
        }
        Path source = file == null ? Path.of(named) : file;
        try {
            return Optional.of(Files.readString(source).stripTrailing());
        } catch (IOException e) {
            throw new IllegalArgumentException("The file " + source + " cannot be read (" + e + ")", e);
        }
    }
}
