package io.outboxrelay.relay.operations;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Serves health and metrics over HTTP.
 *
 * <p>Live means that the process answers. It depends on nothing else, so that a broker that is down never causes a
 * restart of a healthy relay. Ready means that this relay serves every source, or stands by for it.
 *
 * <p>Strangers may reach the port. A connection carries one request, no thread waits for a client, and the numbers of
 * connections and threads are bounded.
 */
public final class OperationsServer implements AutoCloseable {

    private static final int MOST_CONNECTIONS = 100;
    private static final int MOST_THREADS = 8;
    private static final int THREADS_WHEN_IDLE = 4;
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);
    private static final String JSON = "application/json";
    private static final String LINKS = """
            Outbox Relay
            /health/live   200 while the process runs
            /health/ready  200 when every source is served, 503 and the reasons when not
            /metrics       Prometheus text
            """;

    private final HttpSettings settings;
    private final Meters meters;
    private final Supplier<List<SourceHealth>> health;
    private final Server server;
    private final ServerConnector connector;

    /**
     * Describes the server; nothing listens yet.
     *
     * @param settings address, port and who gets details
     * @param meters what {@code /metrics} shows
     * @param health the health of the sources; called by the server's threads for each request, so it must be quick;
     *     empty while the relay is not running
     */
    public OperationsServer(HttpSettings settings, Meters meters, Supplier<List<SourceHealth>> health) {
        this.settings = settings;
        this.meters = meters;
        this.health = health;
        QueuedThreadPool threads = new QueuedThreadPool(MOST_THREADS, THREADS_WHEN_IDLE);
        threads.setName("http");
        this.server = new Server(threads);
        this.connector = connector(server, settings);
        server.addConnector(connector);
        server.setHandler(new Answers());
    }

    private static ServerConnector connector(Server server, HttpSettings settings) {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setPersistentConnectionsEnabled(false);
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(settings.host());
        connector.setPort(settings.port());
        connector.setIdleTimeout(LONGEST_SILENCE.toMillis());
        connector.addBean(new ConnectionBound(MOST_CONNECTIONS));
        return connector;
    }

    /**
     * Starts to listen.
     *
     * @throws CannotListenException if the port is taken or the address does not belong to this machine
     */
    public void start() {
        try {
            server.start();
        } catch (Exception e) {
            close();
            throw new CannotListenException(
                    ("Cannot listen on http.host %s, http.port %d. If another process uses the port, choose another"
                                    + " http.port.")
                            .formatted(settings.host(), settings.port()),
                    e);
        }
    }

    /** {@return the port on which it listens} */
    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("The HTTP server did not stop.", e);
        }
    }

    /** The server cannot listen on its address or port; the message is for people. */
    public static final class CannotListenException extends RuntimeException {

        private static final long serialVersionUID = 1;

        CannotListenException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private final class Answers extends Handler.Abstract.NonBlocking {

        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            if (!HttpMethod.GET.is(request.getMethod()) && !HttpMethod.HEAD.is(request.getMethod())) {
                response.getHeaders().put("Allow", "GET, HEAD");
                answer(response, 405, "text/plain", "Only GET and HEAD are answered here.\n", callback);
                return true;
            }
            switch (Request.getPathInContext(request)) {
                case "/" -> answer(response, 200, "text/plain", LINKS, callback);
                case "/health/live" -> answer(response, 200, JSON, "{\"status\":\"live\"}", callback);
                case "/health/ready" -> ready(request, response, callback);
                case "/metrics" ->
                    answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", meters.scrape(), callback);
                default -> answer(response, 404, "text/plain", "Not found. See / for all paths.\n", callback);
            }
            return true;
        }

        private void ready(Request request, Response response, Callback callback) {
            List<SourceHealth> sources = health.get();
            boolean ready = !sources.isEmpty() && sources.stream().allMatch(SourceHealth::ready);
            ObjectNode answer = JsonNodeFactory.instance.objectNode();
            answer.put("status", ready ? "ready" : sources.isEmpty() ? "not running" : "not ready");
            if (getsDetails(request)) {
                details(sources, answer.putArray("sources"));
            } else {
                answer.put("details", "only on the relay's own machine, unless http.details is everyone");
            }
            answer(response, ready ? 200 : 503, JSON, answer.toString(), callback);
        }

        private boolean getsDetails(Request request) {
            if (settings.details() == HttpSettings.Details.EVERYONE) {
                return true;
            }
            boolean forwarded = request.getHeaders().contains("Forwarded")
                    || request.getHeaders().contains("X-Forwarded-For");
            SocketAddress client = request.getConnectionMetaData().getRemoteSocketAddress();
            return !forwarded
                    && client instanceof InetSocketAddress address
                    && address.getAddress().isLoopbackAddress();
        }

        private void details(List<SourceHealth> sources, ArrayNode list) {
            for (SourceHealth source : sources) {
                list.addObject()
                        .put("name", source.name())
                        .put("ready", source.ready())
                        .put("reason", source.reason() == null ? null : Printable.line(source.reason()));
            }
        }

        private void answer(Response response, int status, String type, String text, Callback callback) {
            response.setStatus(status);
            response.getHeaders().put("Content-Type", type);
            Content.Sink.write(response, true, text, callback);
        }
    }

    /**
     * Where health and metrics are served, and who gets details.
     *
     * @param host address to listen on
     * @param port port to listen on; 0 for any free one
     * @param details who sees why the relay is not ready
     */
    public record HttpSettings(String host, int port, Details details) {

        /** Who sees the reasons, which name databases, virtual hosts and errors. Everyone else sees the status only. */
        public enum Details {
            /** Clients on the relay's own machine, not through a proxy. */
            LOOPBACK,
            /** Everyone who reaches the port. */
            EVERYONE
        }
    }

    /**
     * Whether one source is served, and if not, why.
     *
     * @param name the source's name
     * @param ready true if its database and its broker answer; a standby without lanes is ready too
     * @param reason one sentence without secrets: what it does if ready, what is missing if not
     */
    public record SourceHealth(String name, boolean ready, String reason) {}

    /**
     * Bounds the number of connections: a new one beyond the bound closes the oldest. So slow clients never lock out a
     * health check, which needs a few milliseconds.
     */
    static final class ConnectionBound implements Connection.Listener {

        private final int most;
        private final Set<Connection> open = new LinkedHashSet<>();

        /** Allows at most this many open connections. */
        ConnectionBound(int most) {
            this.most = most;
        }

        @Override
        public void onOpened(Connection connection) {
            Connection oldest = null;
            synchronized (open) {
                open.add(connection);
                if (open.size() > most) {
                    Iterator<Connection> inOrder = open.iterator();
                    oldest = inOrder.next();
                    inOrder.remove();
                }
            }
            if (oldest != null) {
                oldest.getEndPoint().close();
            }
        }

        @Override
        public void onClosed(Connection connection) {
            synchronized (open) {
                open.remove(connection);
            }
        }
    }
}
