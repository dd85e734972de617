package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.customers.client.CustomersClient;
import io.outboxrelay.samples.customers.client.CustomersUnavailable;
import io.outboxrelay.samples.customers.client.NoSuchCustomer;
import io.outboxrelay.samples.storefront.ComposedOrder.Credit;
import io.outboxrelay.samples.storefront.ComposedOrder.Customer;
import io.outboxrelay.samples.storefront.ComposedOrder.Line;
import io.outboxrelay.samples.storefront.ComposedOrder.Product;
import io.outboxrelay.samples.storefront.PartialAnswer.Part;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Composes an order from the current answers of the owning services: the order first, because it names the others; then
 * customer, credit and products at the same time. Without the order there is no answer; any other missing part is
 * listed.
 */
final class OrderComposition {

    private static final String CUSTOMERS = "customers";
    private static final String PRODUCTS = "products";

    private final RemoteService orders;
    private final CustomersClient customers;
    private final RemoteService products;
    private final ExecutorService threads;
    private final Duration patience;

    OrderComposition(
            RemoteService orders,
            CustomersClient customers,
            RemoteService products,
            ExecutorService threads,
            Duration patience) {
        this.orders = orders;
        this.customers = customers;
        this.products = products;
        this.threads = threads;
        this.patience = patience;
    }

    /** The needed part of the orders service's answer. */
    record Order(
            String orderId,
            String state,
            @Nullable String reason,
            long amountCents,
            String currency,
            String customerId,
            List<OrderLine> lines) {}

    /** Of a line in it. */
    record OrderLine(String productId, String name, int quantity, long priceCents) {}

    /**
     * Composes an order.
     *
     * @param orderId which one
     * @return empty if the orders service does not know it
     * @throws ServiceUnavailable if the orders service is unavailable
     */
    Optional<ComposedOrder> compose(String orderId) {
        return orders.get("/orders/{id}", orderId, Order.class).map(this::complete);
    }

    private ComposedOrder complete(Order order) {
        PartialAnswer answer = new PartialAnswer(threads, patience);
        Part<Customer> customer = answer.ask("customer", CUSTOMERS, () -> customer(order.customerId()));
        Part<Credit> credit = answer.ask("credit", CUSTOMERS, () -> credit(order.customerId()));
        Map<String, Part<Product>> asked = new LinkedHashMap<>();
        for (OrderLine line : order.lines()) {
            asked.computeIfAbsent(line.productId(), id -> answer.ask("product " + id, PRODUCTS, () -> product(id)));
        }
        Customer known = answer.take(customer);
        Credit left = answer.take(credit);
        Map<String, @Nullable Product> current = new LinkedHashMap<>();
        asked.forEach((id, part) -> current.put(id, answer.take(part)));
        return new ComposedOrder(
                order.orderId(),
                order.state(),
                order.reason(),
                order.amountCents(),
                order.currency(),
                order.customerId(),
                known,
                left,
                order.lines().stream()
                        .map(line -> new Line(
                                line.productId(),
                                line.name(),
                                line.quantity(),
                                line.priceCents(),
                                current.get(line.productId())))
                        .toList(),
                answer.missing());
    }

    private Optional<Product> product(String productId) {
        return products.get("/products/{id}", productId, Product.class);
    }

    private Optional<Customer> customer(String customerId) {
        return sdk(() -> customers
                .find(customerId)
                .map(found -> new Customer(found.name(), found.email(), found.region(), found.country())));
    }

    private Optional<Credit> credit(String customerId) {
        return sdk(() -> {
            try {
                var found = customers.credit(customerId);
                return Optional.of(new Credit(found.creditLimitCents(), found.availableCents()));
            } catch (NoSuchCustomer e) {
                return Optional.empty();
            }
        });
    }

    /** Uses the client of the customers service's owners, which has its own timeouts, retries and circuit breaker. */
    private static <T> Optional<T> sdk(Supplier<Optional<T>> question) {
        try {
            return question.get();
        } catch (CustomersUnavailable e) {
            throw new ServiceUnavailable(CUSTOMERS, words(e.reason()), true, e);
        }
    }

    /** The client's message is for operators, because it contains the service's address. */
    private static String words(CustomersUnavailable.Reason reason) {
        return switch (reason) {
            case NOT_REACHED -> "it cannot be reached";
            case FAILED -> "it reported a failure";
            case TOO_SLOW -> "it did not answer in time";
            case LEFT_ALONE -> "it failed too often and is not called for a while";
            case REFUSED -> "it rejected the request";
            case NOT_UNDERSTOOD -> "its answer is unreadable";
        };
    }
}
