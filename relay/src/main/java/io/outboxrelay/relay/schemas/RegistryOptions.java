package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which registry a command asks, and as whom. Secrets come from files or from the environment, as the relay's do. */
final class RegistryOptions {

    private static final String PREFIX = "OUTBOX_RELAY_SCHEMAS_REGISTRY_";

    @Option(
            names = "--registry",
            paramLabel = "URL",
            description = "What has /subjects below it, such as https://registry:8080/apis/ccompat/v7. Default: the"
                    + " environment's " + PREFIX + "URL.")
    private @Nullable String url;

    @Option(
            names = "--registry-user",
            paramLabel = "NAME",
            description = "User for basic authentication. Default: " + PREFIX + "USER.")
    private @Nullable String user;

    @Option(
            names = "--registry-password-file",
            paramLabel = "FILE",
            description = "File with the user's password. Default: " + PREFIX
                    + "PASSWORD, or the file that the same with" + " _FILE names.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--registry-token-file",
            paramLabel = "FILE",
            description = "File with a bearer token. Default: " + PREFIX + "TOKEN, or the file that the same with _FILE"
                    + " names.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--registry-trust",
            paramLabel = "FILE",
            description = "PEM, PKCS#12 or JKS file with the certificates to trust. Default: " + PREFIX
                    + "TLS_TRUST_STORE, else those of the Java runtime.")
    private @Nullable Path trust;

    private final Map<String, String> environment;

    RegistryOptions(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Does something with the registry; what it refuses, or its absence, is told and makes the exit status 1. */
    int with(CommandLine command, ToIntFunction<Registry> task) {
        Registry registry = new Registry(settings(command));
        try {
            return task.applyAsInt(registry);
        } catch (RegistryException e) {
            command.getErr().println("outbox-relay: " + e.getMessage());
            command.getErr().flush();
            return 1;
        }
    }

    private RegistrySettings settings(CommandLine command) {
        try {
            String address = url == null ? environment.get(PREFIX + "URL") : url;
            if (address == null) {
                throw new IllegalArgumentException("Say which registry: --registry URL");
            }
            RegistrySettings settings = new RegistrySettings(uri(address), credentials());
            Path certificates = trust == null
                    ? Optional.ofNullable(environment.get(PREFIX + "TLS_TRUST_STORE"))
                            .map(Path::of)
                            .orElse(null)
                    : trust;
            return certificates == null
                    ? settings
                    : settings.trusting(
                            certificates,
                            secret(null, "TLS_TRUST_STORE_PASSWORD").orElse(null));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, e.getMessage() + ".", e);
        }
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

    private Credentials credentials() {
        Optional<String> token = secret(tokenFile, "TOKEN");
        String name = user == null ? environment.get(PREFIX + "USER") : user;
        if (token.isPresent() && name != null) {
            throw new IllegalArgumentException("A user and a token are given for the registry: choose one of them");
        }
        if (token.isPresent()) {
            return new Credentials.Bearer(token.get());
        }
        return name == null
                ? new Credentials.None()
                : new Credentials.Basic(name, secret(passwordFile, "PASSWORD").orElse(""));
    }

    private Optional<String> secret(@Nullable Path file, String variable) {
        String named = environment.get(PREFIX + variable + "_FILE");
        if (file == null && named == null) {
            return Optional.ofNullable(environment.get(PREFIX + variable));
        }
        Path source = file == null ? Path.of(named) : file;
        try {
            return Optional.of(Files.readString(source).stripTrailing());
        } catch (IOException e) {
            throw new IllegalArgumentException("The file " + source + " cannot be read (" + e + ")", e);
        }
    }
}
