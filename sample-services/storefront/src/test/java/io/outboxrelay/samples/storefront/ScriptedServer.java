package io.outboxrelay.samples.storefront;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A scripted service. */
final class ScriptedServer implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    /** How a request is answered. */
    @FunctionalInterface
    interface Answer {
        void to(HttpExchange exchange) throws IOException, InterruptedException;
    }

    private ScriptedServer(HttpServer server) {
        this.server = server;
    }

    static ScriptedServer start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ScriptedServer scripted = new ScriptedServer(server);
        server.setExecutor(scripted.threads);
        server.createContext("/", scripted::handle);
        server.start();
        return scripted;
    }

    URI url() {
        return URI.create("http://localhost:" + server.getAddress().getPort());
    }

    /** Method and path of each, with the body where there is one. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    long requestsOf(String methodAndPath) {
        return requests.stream()
                .filter(request -> request.startsWith(methodAndPath))
                .count();
    }

    ScriptedServer on(String methodAndPath, Answer answer) {
        answers.put(methodAndPath, answer);
        return this;
    }

    ScriptedServer on(String methodAndPath, int status, String json) {
        return on(methodAndPath, exchange -> send(exchange, status, json));
    }

    /** Answers nothing as long as the server runs. */
    ScriptedServer hangsOn(String methodAndPath) {
        return on(methodAndPath, exchange -> closing.await());
    }

    /** Begins an answer and never ends it while the server runs. */
    ScriptedServer breaksOffOn(String methodAndPath) {
        return on(methodAndPath, exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 1_000);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            closing.await();
        });
    }

    /** Breaks the connection off. */
    ScriptedServer hangsUpOn(String methodAndPath) {
        return on(methodAndPath, HttpExchange::close);
    }

    static void send(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(body.isEmpty() ? request : request + " " + body);
            answers.getOrDefault(request, unknown -> send(unknown, 404, "{}")).to(exchange);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
