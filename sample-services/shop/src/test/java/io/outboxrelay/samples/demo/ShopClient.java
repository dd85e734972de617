package io.outboxrelay.samples.demo;

import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.ConsumerQueue;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/** What customers and staff do and see at the shop, by HTTP. */
final class ShopClient {

    private static final ParameterizedTypeReference<Map<String, Object>> OBJECT = new ParameterizedTypeReference<>() {};

    private final Stage stage;

    ShopClient(Stage stage) {
        this.stage = stage;
    }

    record Order(String state, @Nullable String reason) {}

    /** Adds a product, and returns when it can be ordered. */
    String product(String name, long priceCents, int stock) {
        return text(
                post(
                        Service.PRODUCTS,
                        "/products",
                        Map.of("name", name, "price_cents", priceCents, "currency", "EUR", "stock", stock)),
                "product_id");
    }

    String customer(String name, String region, long creditCents) {
        return text(
                post(
                        Service.CUSTOMERS,
                        "/customers",
                        Map.of(
                                "name", name,
                                "email", name.toLowerCase(Locale.ROOT) + "@shop.example",
                                "region", region,
                                "credit_limit_cents", creditCents)),
                "customer_id");
    }

    void rename(String product, String name, long priceCents) {
        client(Service.PRODUCTS)
                .put()
                .uri("/products/" + product)
                .contentType(MediaType.APPLICATION_JSON)
                .body(Map.of("name", name, "price_cents", priceCents, "currency", "EUR"))
                .retrieve()
                .toBodilessEntity();
    }

    /** Places an order as soon as the orders service knows customer and product. */
    String order(String customer, String product, int quantity) {
        return order(Service.ORDERS, customer, product, quantity);
    }

    /** The same, where customers do it. */
    String orderAtTheStorefront(String customer, String product, int quantity) {
        return order(Service.STOREFRONT, customer, product, quantity);
    }

    private String order(Service where, String customer, String product, int quantity) {
        Map<String, Object> order =
                Map.of("customer_id", customer, "lines", List.of(Map.of("product_id", product, "quantity", quantity)));
        String[] placed = new String[1];
        await().atMost(Duration.ofMinutes(2)).until(() -> {
            try {
                placed[0] = text(post(where, "/orders", order), "order_id");
                return true;
            } catch (HttpClientErrorException e) {
                if (e.getStatusCode().value() == 422) {
                    return false;
                }
                throw e;
            }
        });
        return placed[0];
    }

    /** The first alone, so that customer and product are known; the others at once. */
    List<String> orderAtOnce(int number, String customer, String product, int quantity) {
        String first = order(customer, product, quantity);
        List<CompletableFuture<String>> others = Stream.generate(
                        () -> CompletableFuture.supplyAsync(() -> order(customer, product, quantity)))
                .limit(number - 1L)
                .toList();
        return Stream.concat(Stream.of(first), others.stream().map(CompletableFuture::join))
                .toList();
    }

    String state(String order) {
        return order(order).state();
    }

    /** While the service is down: nothing is known. */
    Order order(String order) {
        try {
            Map<String, Object> seen = get(Service.ORDERS, "/orders/" + order);
            Object reason = seen.get("reason");
            return new Order(text(seen, "state"), reason == null ? null : reason.toString());
        } catch (RestClientException e) {
            return new Order("unknown", e.getMessage());
        }
    }

    long availableCents(String customer) {
        return number(get(Service.CUSTOMERS, "/customers/" + customer + "/credit"), "available_cents");
    }

    long viewOfAvailableCents(String customer) {
        return number(get(Service.STOREFRONT, "/customers/" + customer + "/available-credit"), "available_cents");
    }

    int stock(String product) {
        return (int) number(get(Service.PRODUCTS, "/products/" + product), "stock");
    }

    /** What a composed answer lacks. */
    List<String> missingParts(String order) {
        return ((List<?>) Objects.requireNonNull(
                        get(Service.STOREFRONT, "/orders/" + order).get("missing")))
                .stream()
                        .map(part -> String.valueOf(((Map<?, ?>) part).get("part")))
                        .toList();
    }

    String regionView(String region) {
        return get(Service.STOREFRONT, "/regions/" + region + "/customers").toString();
    }

    /** Of one of the storefront's views. */
    double ageSeconds(String view) {
        return age(
                (List<?>) Objects.requireNonNull(
                        get(Service.STOREFRONT, "/freshness").get("views")),
                "view",
                view);
    }

    /** Of what the orders service has copied of another service. */
    double replicaAgeSeconds(String source) {
        List<Object> ages = Objects.requireNonNull(client(Service.ORDERS)
                .get()
                .uri("/replicas")
                .retrieve()
                .body(new ParameterizedTypeReference<List<Object>>() {}));
        return age(ages, "source", source);
    }

    boolean queuesAreEmpty() {
        try (Connection connection = stage.virtualHost().connectionFactory().newConnection("client");
                Channel channel = connection.createChannel()) {
            for (Service service : Service.values()) {
                for (ConsumerQueue queue : service.queues()) {
                    if (channel.messageCount(queue.name()) > 0) {
                        return false;
                    }
                }
            }
            return true;
        } catch (IOException | TimeoutException e) {
            throw new IllegalStateException("The broker does not say how many messages there are", e);
        }
    }

    private static double age(List<?> ages, String key, String name) {
        return ages.stream()
                .map(Map.class::cast)
                .filter(age -> name.equals(age.get(key)))
                .map(age -> age.get("age_seconds"))
                .mapToDouble(age -> age == null ? Double.POSITIVE_INFINITY : ((Number) age).doubleValue())
                .findFirst()
                .orElse(Double.POSITIVE_INFINITY);
    }

    private Map<String, Object> get(Service service, String path) {
        return Objects.requireNonNull(client(service).get().uri(path).retrieve().body(OBJECT));
    }

    private Map<String, Object> post(Service service, String path, Map<String, Object> body) {
        return Objects.requireNonNull(client(service)
                .post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .body(body)
                .retrieve()
                .body(OBJECT));
    }

    private RestClient client(Service service) {
        URI url = stage.url(service);
        return RestClient.builder()
                .baseUrl(url)
                .requestFactory(new JdkClientHttpRequestFactory())
                .build();
    }

    private static String text(Map<String, Object> answer, String name) {
        return String.valueOf(Objects.requireNonNull(answer.get(name), name));
    }

    private static long number(Map<String, Object> answer, String name) {
        return ((Number) Objects.requireNonNull(answer.get(name), name)).longValue();
    }
}
