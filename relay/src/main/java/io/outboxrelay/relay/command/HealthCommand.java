package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.HttpSettings;
import io.outboxrelay.relay.operations.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "health",
        mixinStandardHelpOptions = true,
        description = "Asks the relay on this machine whether it is ready.",
        footer = {"", "Exit status: 0 when it is, 1 when it is not or does not answer, 2 wrong use or configuration."})
final class HealthCommand implements Callable<Integer> {

    private static final int TIMEOUT_MILLIS = 5_000;

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--live", description = "Asks only whether the process answers.")
    private boolean live;

    @Spec
    private @Nullable CommandSpec spec;

    HealthCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() throws URISyntaxException {
        HttpSettings http = options.reader().http();
        URI address = new URI(
                "http", null, reachable(http.host()), http.port(), live ? "/health/live" : "/health/ready", null, null);
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        try {
            // Not java.net.http: a health check is a process of its own, and this starts in half the time.
            HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            int status = connection.getResponseCode();
            out.println(Printable.lines(body(connection, status)));
            return status == HttpURLConnection.HTTP_OK ? 0 : 1;
        } catch (IOException e) {
            throw new IllegalStateException("No relay answers at " + address + ".", e);
        } finally {
            out.flush();
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
