package io.outboxrelay.samples.demo;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/** Customers, a thread each: they order, pay, some with an empty card first, and have it shipped. */
final class Shoppers implements AutoCloseable {

    private static final int CUSTOMERS = 8;
    /** One order in so many meets an empty card. */
    private static final int DECLINES = 8;
    /** Together with {@link #CUSTOMERS} some 80 orders a second: what two processor cores carry beside everything else. */
    private static final Duration BETWEEN_ORDERS = Duration.ofMillis(100);

    private static final Duration LAST_ORDERS = Duration.ofSeconds(30);
    private static final String GOOD_CARD = "4000-0000-0000-0001";
    private static final String EMPTY_CARD = "4000-0000-0000-0002";
    private static final String[] ITEMS = {"lamp", "kettle", "chair", "blanket", "clock"};

    private final RestClient orders;
    private final ExecutorService threads = Executors.newFixedThreadPool(CUSTOMERS);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicInteger placed = new AtomicInteger();
    private final AtomicInteger declined = new AtomicInteger();
    private final AtomicReference<@Nullable RuntimeException> trouble = new AtomicReference<>();

    Shoppers(URI orders) {
        this.orders = RestClient.create(orders);
    }

    void start() {
        for (int customer = 1; customer <= CUSTOMERS; customer++) {
            String name = "customer-" + customer;
            threads.execute(() -> shop(name));
        }
        threads.shutdown();
    }

    /** No new orders; returns when those begun are complete. */
    void finish() {
        closing.countDown();
        try {
            if (!threads.awaitTermination(LAST_ORDERS.toSeconds(), TimeUnit.SECONDS)) {
                throw new DemoFailure("the orders service did not answer within %d s; see orders.log"
                        .formatted(LAST_ORDERS.toSeconds()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
        check();
    }

    /** Fails if a customer met with anything but what the demo means to happen. */
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

    int declined() {
        return declined.get();
    }

    @Override
    public void close() {
        closing.countDown();
        threads.shutdownNow();
    }

    private void shop(String customer) {
        Random random = new Random(customer.hashCode());
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

    private void order(String customer, Random random) {
        int quantity = 1 + random.nextInt(3);
        String order = place(Map.of(
                "customer_id",
                customer,
                "item",
                ITEMS[random.nextInt(ITEMS.length)],
                "quantity",
                quantity,
                "amount_cents",
                quantity * 1_990));
        if (random.nextInt(DECLINES) == 0) {
            payWithEmptyCard(order);
        }
        post("/orders/" + order + "/payment", Map.of("card", GOOD_CARD));
        post("/orders/" + order + "/shipment", Map.of());
    }

    private String place(Map<String, Object> order) {
        Map<String, Object> answer = orders.post()
                .uri("/orders")
                .contentType(MediaType.APPLICATION_JSON)
                .body(order)
                .retrieve()
                .body(new ParameterizedTypeReference<Map<String, Object>>() {});
        placed.incrementAndGet();
        return String.valueOf(Objects.requireNonNull(answer).get("order_id"));
    }

    private void payWithEmptyCard(String order) {
        try {
            post("/orders/" + order + "/payment", Map.of("card", EMPTY_CARD));
        } catch (HttpClientErrorException e) {
            if (!e.getStatusCode().isSameCodeAs(HttpStatus.PAYMENT_REQUIRED)) {
                throw e;
            }
            declined.incrementAndGet();
        }
    }

    private void post(String path, Map<String, Object> body) {
        orders.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .body(body)
                .retrieve()
                .toBodilessEntity();
    }
}
