package io.outboxrelay.samples.demo;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/**
 * Customers, one thread each. They order, wait for confirmation or rejection, and pay, some with an empty card first; a
 * few cancel.
 */
final class Shoppers implements AutoCloseable {

    private static final int CUSTOMERS = 8;
    /** Enough for most orders; some exceed it. */
    private static final long CREDIT_CENTS = 10_000;
    /** One payment in this many begins with an empty card. */
    private static final int DECLINES = 8;
    /** One confirmed order in this many is cancelled. */
    private static final int CANCELLATIONS = 10;

    private static final Duration BETWEEN_ORDERS = Duration.ofMillis(250);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(150);
    /** Much longer than relays need to take over from a dead one, and sagas to time out, even on a busy machine. */
    private static final Duration LAST_ORDERS = Duration.ofMinutes(5);

    private static final String GOOD_CARD = "4000-0000-0000-0001";
    private static final String EMPTY_CARD = "4000-0000-0000-0002";
    private static final Set<String> ENDED = Set.of("confirmed", "rejected", "cancelled", "paid");
    private static final ParameterizedTypeReference<Map<String, Object>> OBJECT = new ParameterizedTypeReference<>() {};

    private final RestClient customers;
    private final RestClient products;
    private final RestClient orders;
    private final List<String> assortment = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newFixedThreadPool(CUSTOMERS);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicInteger placed = new AtomicInteger();
    private final AtomicInteger rejected = new AtomicInteger();
    private final AtomicInteger declined = new AtomicInteger();
    private final AtomicReference<@Nullable RuntimeException> trouble = new AtomicReference<>();
    private final Map<String, String> waiting = new ConcurrentHashMap<>();

    Shoppers(URI customers, URI products, URI orders) {
        this.customers = client(customers);
        this.products = client(products);
        this.orders = client(orders);
    }

    void start() {
        try {
            Stream.of("lamp", "kettle", "chair", "blanket", "clock")
                    .map(name -> post(
                            products,
                            "/products",
                            Map.of("name", name, "price_cents", 1_990, "currency", "EUR", "stock", 100_000)))
                    .forEach(product -> assortment.add(String.valueOf(product.get("product_id"))));
            for (int n = 1; n <= CUSTOMERS; n++) {
                String customer = String.valueOf(post(
                                customers,
                                "/customers",
                                Map.of(
                                        "name",
                                        "Customer " + n,
                                        "email",
                                        "customer-" + n + "@shop.example",
                                        "region",
                                        n % 2 == 0 ? "NORTH" : "SOUTH",
                                        "credit_limit_cents",
                                        CREDIT_CENTS))
                        .get("customer_id"));
                Random random = new Random(n);
                threads.execute(() -> shop(customer, random));
            }
        } catch (RestClientException e) {
            throw new DemoFailure("could not fill the shop: " + e.getMessage(), e);
        }
        threads.shutdown();
    }

    /**
     * Stops new orders; returns when each customer's last order has been answered. An order that a customer has begun
     * to place counts as the last one, so closing never loses a race against the events that the order depends on.
     */
    void finish() {
        closing.countDown();
        try {
            if (!threads.awaitTermination(LAST_ORDERS.toSeconds(), TimeUnit.SECONDS)) {
                throw new DemoFailure("orders were not answered within %d s: %s; see orders.log"
                        .formatted(LAST_ORDERS.toSeconds(), new TreeMap<>(waiting)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
        check();
    }

    /** Fails if a customer met an unexpected answer. */
    void check() {
        RuntimeException first = trouble.get();
        if (first != null) {
            throw new DemoFailure(
                    "a customer could not order: %s; see orders.log".formatted(first.getMessage()), first);
        }
    }

    int placed() {
        return placed.get();
    }

    int rejected() {
        return rejected.get();
    }

    int declined() {
        return declined.get();
    }

    @Override
    public void close() {
        closing.countDown();
        threads.shutdownNow();
    }

    private void shop(String customer, Random random) {
        try {
            do {
                order(customer, random);
            } while (!closing.await(random.nextLong(2 * BETWEEN_ORDERS.toMillis()), TimeUnit.MILLISECONDS));
        } catch (RestClientException e) {
            trouble.compareAndSet(null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void order(String customer, Random random) throws InterruptedException {
        String order = place(customer, random);
        String path = "/orders/" + order;
        String answer = awaitAnswer(path);
        if (answer.equals("rejected")) {
            rejected.incrementAndGet();
        } else if (random.nextInt(CANCELLATIONS) == 0) {
            post(orders, path + "/cancellation", Map.of());
        } else {
            if (random.nextInt(DECLINES) == 0) {
                payWithEmptyCard(path);
            }
            post(orders, path + "/payment", Map.of("card", GOOD_CARD));
        }
    }

    /**
     * The orders service learns of customers and products by events. Until these have arrived, it answers 422, and the
     * customer tries again.
     */
    private String place(String customer, Random random) throws InterruptedException {
        Map<String, Object> order = Map.of(
                "customer_id",
                customer,
                "lines",
                List.of(Map.of(
                        "product_id",
                        assortment.get(random.nextInt(assortment.size())),
                        "quantity",
                        1 + random.nextInt(6))));
        while (true) {
            try {
                Map<String, Object> answer = post(orders, "/orders", order);
                placed.incrementAndGet();
                waiting.remove("customer " + customer);
                return String.valueOf(answer.get("order_id"));
            } catch (HttpClientErrorException e) {
                if (!e.getStatusCode().isSameCodeAs(HttpStatus.UNPROCESSABLE_CONTENT)) {
                    throw e;
                }
                waiting.put("customer " + customer, e.getMessage());
                Thread.sleep(BETWEEN_LOOKS.toMillis());
            }
        }
    }

    private String awaitAnswer(String path) throws InterruptedException {
        while (true) {
            Map<String, Object> seen =
                    Objects.requireNonNull(orders.get().uri(path).retrieve().body(OBJECT));
            String state = String.valueOf(seen.get("state"));
            if (ENDED.contains(state)) {
                waiting.remove(path);
                return state;
            }
            waiting.put(path, state);
            Thread.sleep(BETWEEN_LOOKS.toMillis());
        }
    }

    private void payWithEmptyCard(String path) {
        try {
            post(orders, path + "/payment", Map.of("card", EMPTY_CARD));
        } catch (HttpClientErrorException e) {
            if (!e.getStatusCode().isSameCodeAs(HttpStatus.PAYMENT_REQUIRED)) {
                throw e;
            }
            declined.incrementAndGet();
        }
    }

    private static Map<String, Object> post(RestClient service, String path, Map<String, Object> body) {
        Map<String, Object> answer = service.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .body(body)
                .retrieve()
                .body(OBJECT);
        return answer == null ? Map.of() : answer;
    }

    private static RestClient client(URI service) {
        return RestClient.builder()
                .baseUrl(service)
                .requestFactory(new JdkClientHttpRequestFactory())
                .build();
    }
}
