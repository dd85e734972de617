package io.outboxrelay.schemas.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;

/**
 * Stands before a real registry as a company's proxy does: lets requests through to it, or not. It is there for what a
 * registry in a test does not do by itself, to ask for credentials, to speak TLS and to be overloaded.
 */
final class Doorkeeper implements AutoCloseable {

    /** What the next requests get; the last one is for all that follow. */
    interface Rule {
        boolean lets(HttpExchange exchange) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newHttpClient();
    private final URI registry;
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private volatile Rule rule = exchange -> true;

    private Doorkeeper(HttpServer server, URI registry) {
        this.server = server;
        this.registry = registry;
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    static Doorkeeper before(URI registry) throws IOException {
        return new Doorkeeper(HttpServer.create(loopback(), 0), registry);
    }

    static Doorkeeper before(URI registry, SSLContext tls) throws IOException {
        HttpsServer server = HttpsServer.create(loopback(), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        return new Doorkeeper(server, registry);
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    URI url(String scheme, String host) {
        return URI.create(scheme + "://" + host + ":" + server.getAddress().getPort() + registry.getPath());
    }

    /** Method and path of the requests so far. */
    List<String> seen() {
        return seen;
    }

    Doorkeeper rule(Rule next) {
        rule = next;
        return this;
    }

    static Rule only(Predicate<HttpExchange> fits, int otherwise) {
        return exchange -> {
            if (fits.test(exchange)) {
                return true;
            }
            exchange.sendResponseHeaders(otherwise, -1);
            return false;
        };
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            seen.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            if (rule.lets(exchange)) {
                pass(exchange);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pass(HttpExchange exchange) throws IOException, InterruptedException {
        URI target = URI.create(registry.getScheme() + "://" + registry.getAuthority() + exchange.getRequestURI());
        HttpRequest.Builder request = HttpRequest.newBuilder(target)
                .method(
                        exchange.getRequestMethod(),
                        HttpRequest.BodyPublishers.ofByteArray(
                                exchange.getRequestBody().readAllBytes()))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json");
        HttpResponse<byte[]> response = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        exchange.sendResponseHeaders(response.statusCode(), response.body().length);
        exchange.getResponseBody().write(response.body());
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
