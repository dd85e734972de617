package io.outboxrelay.schemas.command;

import io.outboxrelay.schemas.command.SchemasCommand.Console;
import io.outboxrelay.schemas.exchange.ContractExchange;
import io.outboxrelay.schemas.registry.RegistryAccess;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which registry a command uses, and with which credentials. Secrets come from files or the environment. */
final class RegistryOptions {

    private static final String PREFIX = RegistryAccess.VARIABLES;

    @Option(
            names = "--registry",
            paramLabel = "URL",
            description = "Base URL of the registry API, without /subjects, for example"
                    + " https://registry:8080/apis/ccompat/v7. Default: " + PREFIX + "URL from the environment.")
    private @Nullable String url;

    @Option(
            names = "--registry-user",
            paramLabel = "NAME",
            description = "User for basic authentication. Default: " + PREFIX + "USER.")
    private @Nullable String user;

    @Option(
            names = "--registry-password-file",
            paramLabel = "FILE",
            description = "File that contains the user's password. Default: " + PREFIX
                    + "PASSWORD, or the file named by the same variable with _FILE.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--registry-token-file",
            paramLabel = "FILE",
            description = "File that contains a bearer token. Default: " + PREFIX
                    + "TOKEN, or the file named by the same variable with _FILE.")
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

    /** {@return the exchange with that registry; no request is sent yet} */
    ContractExchange exchange(Console console) {
        RegistryAccess access = new RegistryAccess(url, user, passwordFile, tokenFile, trust);
        try {
            return new ContractExchange(access.registry(environment), console);
        } catch (IllegalArgumentException e) {
            throw console.wrongUse(e.getMessage() + ".", e);
        }
    }
}
