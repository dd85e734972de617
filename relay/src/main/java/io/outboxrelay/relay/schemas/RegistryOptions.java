package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryAccess;
import io.outboxrelay.schemas.registry.RegistryException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which registry a command asks, and as whom. Secrets come from files or from the environment, as the relay's do. */
final class RegistryOptions {

    private static final String PREFIX = RegistryAccess.VARIABLES;

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
        Registry registry = registry(command);
        try {
            return task.applyAsInt(registry);
        } catch (RegistryException e) {
            command.getErr().println("outbox-relay: " + e.getMessage());
            command.getErr().flush();
            return 1;
        }
    }

    private Registry registry(CommandLine command) {
        try {
            return new RegistryAccess(url, user, passwordFile, tokenFile, trust).registry(environment);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, e.getMessage() + ".", e);
        }
    }
}
