package io.outboxrelay.relay.operations;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.util.List;
import java.util.function.Supplier;

/**
 * Serves health and metrics over HTTP.
 *
 * <p>Live means that the process answers; it depends on nothing, so that a broker that is down never gets a healthy relay
 * restarted. Ready means that every source is being served, or is waited on as a standby.
 */
public final class OperationsServer implements AutoCloseable {

    private static final String LINKS = """
            Outbox Relay
            /health/live   200 while the process runs
            /health/ready  200 when every source is served, 503 and the reasons when not
            /metrics       Prometheus text
            """;

    private final HttpSettings settings;
    private final Meters meters;
    private final Supplier<List<SourceHealth>> health;
    private final Javalin server;

    /**
     * Describes the server; nothing listens yet.
     *
     * @param settings address and port
     * @param meters what {@code /metrics} shows
     * @param health how the sources are doing; called by the server's threads for each question, so it must be quick; empty
     *     while the relay is not yet or no longer running
     */
    public OperationsServer(HttpSettings settings, Meters meters, Supplier<List<SourceHealth>> health) {
        this.settings = settings;
        this.meters = meters;
        this.health = health;
        this.server = Javalin.create(this::configure);
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.routes.get("/", context -> context.result(LINKS));
        config.routes.get(
                "/health/live",
                context -> context.contentType("application/json").result("{\"status\":\"live\"}"));
        config.routes.get("/health/ready", this::ready);
        config.routes.get(
                "/metrics",
                context -> context.contentType("text/plain; version=0.0.4; charset=utf-8")
                        .result(meters.scrape()));
    }

    /**
     * Begins to listen.
     *
     * @throws IllegalStateException when the port is taken or the address is not of this machine
     */
    public void start() {
        try {
            server.start(settings.host(), settings.port());
        } catch (RuntimeException e) {
            throw new IllegalStateException(
                    "Cannot listen on http.host %s, http.port %d. Is the port taken by another process? Choose another by http.port."
                            .formatted(settings.host(), settings.port()),
                    e);
        }
    }

    /** {@return the port on which it listens} */
    public int port() {
        return server.port();
    }

    private void ready(Context context) {
        List<SourceHealth> sources = health.get();
        boolean ready = !sources.isEmpty() && sources.stream().allMatch(SourceHealth::ready);
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.put("status", ready ? "ready" : sources.isEmpty() ? "not running" : "not ready");
        ArrayNode list = answer.putArray("sources");
        for (SourceHealth source : sources) {
            list.addObject()
                    .put("name", source.name())
                    .put("ready", source.ready())
                    .put("reason", source.reason() == null ? null : Printable.line(source.reason()));
        }
        context.status(ready ? 200 : 503).contentType("application/json").result(answer.toString());
    }

    @Override
    public void close() {
        server.stop();
    }
}
