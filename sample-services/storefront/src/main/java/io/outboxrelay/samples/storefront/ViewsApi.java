package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.storefront.ViewAges.ViewAge;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** The views over HTTP. Each answer has the time of the newest received event, and its age. */
@RestController
@Tag(name = "Views", description = "Built from events; as_of and age_seconds are null until the first event")
class ViewsApi {

    private final OrderView orders;
    private final CustomerView customers;
    private final ProductView products;
    private final RegionView regions;
    private final ViewAges ages;
    private final IdempotentConsumer consumer;

    ViewsApi(
            OrderView orders,
            CustomerView customers,
            ProductView products,
            RegionView regions,
            ViewAges ages,
            IdempotentConsumer consumer) {
        this.orders = orders;
        this.customers = customers;
        this.products = products;
        this.regions = regions;
        this.ages = ages;
        this.consumer = consumer;
    }

    record Customers(
            List<CustomerView.Customer> customers,
            @Nullable Instant asOf,
            @Nullable Double ageSeconds) {}

    record Products(
            List<ProductView.Product> products,
            @Nullable Instant asOf,
            @Nullable Double ageSeconds) {}

    record RegionCustomers(
            String region,
            List<RegionView.RegionCustomer> customers,
            @Nullable Instant asOf,
            @Nullable Double ageSeconds) {}

    record AvailableCredit(
            String customerId,
            long creditLimitCents,
            long availableCents,
            @Nullable Instant asOf,
            @Nullable Double ageSeconds) {}

    record Timeline(
            String orderId,
            String state,
            @Nullable String reason,
            @Nullable String customerId,
            @Nullable Long amountCents,
            @Nullable String currency,
            @Nullable OffsetDateTime placedAt,
            List<OrderView.Line> lines,
            List<OrderView.Step> steps,
            @Nullable Instant asOf,
            @Nullable Double ageSeconds) {}

    record Freshness(List<ViewAge> views) {}

    record Deliveries(IdempotentConsumer.State state, long duplicatesDropped) {}

    @GetMapping("/customers")
    @Operation(summary = "Customers by name, the first 500")
    Customers customers() {
        ViewAge age = ages.of(ViewAges.Of.CUSTOMERS);
        return new Customers(customers.all(), age.asOf(), age.ageSeconds());
    }

    @GetMapping("/customers/{customerId}/available-credit")
    @Operation(summary = "Show a customer's available credit, after all received reservations")
    AvailableCredit availableCredit(@PathVariable String customerId) {
        ViewAge age = ages.of(ViewAges.Of.CUSTOMERS);
        return customers
                .creditOf(customerId)
                .map(credit -> new AvailableCredit(
                        customerId, credit.creditLimitCents(), credit.availableCents(), age.asOf(), age.ageSeconds()))
                .orElseThrow(() -> new NoEventYet("customer", customerId));
    }

    @GetMapping("/products")
    @Operation(summary = "Products by name, the first 500")
    Products products() {
        ViewAge age = ages.of(ViewAges.Of.PRODUCTS);
        return new Products(products.all(), age.asOf(), age.ageSeconds());
    }

    @GetMapping("/regions/{region}/customers")
    @Operation(summary = "Customers of a region by name, the first 100, with the five newest orders of each")
    RegionCustomers regionCustomers(@PathVariable String region) {
        ViewAge age = ages.of(ViewAges.Of.REGIONS);
        return new RegionCustomers(region, regions.customersOf(region), age.asOf(), age.ageSeconds());
    }

    @GetMapping("/orders/{orderId}/timeline")
    @Operation(summary = "Show an order and the steps of its saga, from the events of three services")
    Timeline timeline(@PathVariable String orderId) {
        ViewAge age = ages.of(ViewAges.Of.ORDERS);
        OrderView.Order order = orders.find(orderId).orElseThrow(() -> new NoEventYet("order", orderId));
        return new Timeline(
                orderId,
                order.state(),
                order.reason(),
                order.customerId(),
                order.amountCents(),
                order.currency(),
                order.placedAt(),
                orders.linesOf(orderId),
                orders.stepsOf(orderId),
                age.asOf(),
                age.ageSeconds());
    }

    @GetMapping("/freshness")
    @Operation(summary = "Show the age of each view")
    Freshness freshness() {
        return new Freshness(ages.all());
    }

    @GetMapping("/deliveries")
    @Operation(summary = "Show the state of the consumer of events, and how many duplicate deliveries it dropped")
    Deliveries deliveries() {
        return new Deliveries(consumer.state(), consumer.duplicatesDropped());
    }
}
