package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.operations.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "health",
        mixinStandardHelpOptions = true,
        description = "Checks whether the relay on this machine is ready.",
        footer = {"", "Exit status: 0 ready, 1 not ready or no answer, 2 wrong use or configuration."})
final class HealthCommand implements Callable<Integer> {

    private static final int TIMEOUT_MILLIS = 5_000;

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--live", description = "Only check whether the process answers.")
    private boolean live;

    HealthCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() throws URISyntaxException {
        HttpSettings http = options.reader().http();
        URI address = new URI(
                "http", null, reachable(http.host()), http.port(), live ? "/health/live" : "/health/ready", null, null);
        try {
            // Not java.net.http: each health check is a new process, and this client starts in half the time.
            HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            int status = connection.getResponseCode();
            console.println(Printable.lines(body(connection, status)));
            return status == HttpURLConnection.HTTP_OK ? 0 : 1;
        } catch (IOException e) {
            console.problem("No relay answers at %s.\n  because: %s"
                    .formatted(address, e.getMessage() == null ? e.toString() : e.getMessage()));
            return 1;
        }
    }

    /** The address by which a server that listens everywhere is reached from its own machine. */
    private static String reachable(String host) {
        return switch (host) {
            case "0.0.0.0" -> "127.0.0.1";
            case "::", "[::]" -> "::1";
            default -> host;
        };
    }

    private static String body(HttpURLConnection connection, int status) throws IOException {
        try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
