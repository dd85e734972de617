package io.outboxrelay.samples.customers.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** A server in the moods that the real one does not have on demand: one for each request, the last one from then on. */
final class ScriptedService implements AutoCloseable {

    private final Queue<HttpHandler> script = new LinkedBlockingQueue<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    ScriptedService() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** Replaces the remaining script. */
    ScriptedService plays(HttpHandler... moods) {
        script.clear();
        script.addAll(List.of(moods));
        return this;
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Path and version of the API of each request that arrived. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    static HttpHandler answer(int status, String json) {
        return answer(status, "application/json", json);
    }

    static HttpHandler problem(int status, String detail) {
        return answer(
                status, "application/problem+json", "{\"status\": %d, \"detail\": \"%s\"}".formatted(status, detail));
    }

    /** The connection is closed without a word. */
    static HttpHandler hangUp() {
        return HttpExchange::close;
    }

    /** Accepts the request and never answers. */
    HttpHandler silence() {
        return exchange -> awaitClosing();
    }

    /** Begins to answer and does not end. */
    HttpHandler halfAnAnswer() {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 1_000);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            awaitClosing();
        };
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdown();
    }

    private static HttpHandler answer(int status, String contentType, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Type", contentType);
            exchange.sendResponseHeaders(status, bytes.length);
            try (OutputStream answer = exchange.getResponseBody()) {
                answer.write(bytes);
            }
        };
    }

    private void handle(HttpExchange exchange) throws IOException {
        requests.add(
                exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst(CustomersClient.VERSION_HEADER));
        HttpHandler mood = script.size() > 1 ? script.remove() : script.element();
        mood.handle(exchange);
    }

    private void awaitClosing() {
        try {
            closing.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
