package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.chassis.Freshness;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.info.Info;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Orders over HTTP. What cannot be done is answered by {@link Problems}. */
@RestController
@OpenAPIDefinition(
        info =
                @Info(
                        title = "Orders",
                        version = "1",
                        description = "Accepts orders and runs their sagas: stock, credit, confirmation."))
class OrdersApi {

    private static final int MOST_LISTED = 100;
    private static final String ID = "[A-Za-z0-9._-]{1,64}";
    private static final String ID_RULE = "must be 1 to 64 letters, digits, dots, dashes or underscores";

    private final Checkout checkout;
    private final PlaceOrderSaga saga;
    private final Orders orders;
    private final Replicas replicas;
    private final Freshness freshness;

    OrdersApi(Checkout checkout, PlaceOrderSaga saga, Orders orders, Replicas replicas, Freshness freshness) {
        this.checkout = checkout;
        this.saga = saga;
        this.orders = orders;
        this.replicas = replicas;
        this.freshness = freshness;
    }

    record Placing(
            @NotNull @Pattern(regexp = ID, message = ID_RULE)
            String customerId,

            @NotEmpty @Size(max = 100) List<@NotNull @Valid PlacingLine> lines) {}

    record PlacingLine(
            @NotNull @Pattern(regexp = ID, message = ID_RULE)
            String productId,

            @NotNull @Min(1) @Max(10_000) Integer quantity) {}

    record Placed(UUID orderId, String state, UUID eventId) {}

    record Payment(
            @NotNull @Pattern(regexp = "[0-9-]{1,32}", message = "must be digits and dashes")
            String card) {}

    record Shown(
            UUID orderId,
            int version,
            String state,
            @Nullable String reason,
            String customerId,
            Replicas.@Nullable Customer customer,
            List<Order.Line> lines,
            long amountCents,
            String currency,
            Instant placedAt,
            Instant changedAt,
            List<Orders.Step> steps,
            List<Freshness.Age> replicas) {}

    @PostMapping("/orders")
    @Operation(
            summary = "Place an order",
            description = "202 means accepted, not confirmed: poll the Location until the state is final."
                    + " The current prices become the order's prices. event_id is the event that reports the order: a"
                    + " service with a view can wait for it, and then shows the order.")
    ResponseEntity<Placed> place(@Valid @RequestBody Placing placing) {
        List<Checkout.Wanted> wanted = placing.lines().stream()
                .map(line -> new Checkout.Wanted(line.productId(), line.quantity()))
                .toList();
        PlaceOrderSaga.Placed placed = checkout.order(placing.customerId(), wanted);
        Order order = placed.order();
        return ResponseEntity.accepted()
                .location(URI.create("/orders/" + order.orderId()))
                .body(new Placed(order.orderId(), order.state().text(), placed.eventId()));
    }

    @GetMapping("/orders/{order_id}")
    @Operation(
            summary = "Show an order",
            description =
                    "Includes the steps of its saga so far. Name and e-mail come from this service's copy of customers;"
                            + " replicas shows its age. customer is null if the copy does not contain the customer.")
    Shown show(@PathVariable("order_id") UUID orderId) {
        Orders.Story story = orders.find(orderId).orElseThrow(() -> new NoSuchOrder(orderId));
        Order order = story.order();
        return new Shown(
                order.orderId(),
                order.version(),
                order.state().text(),
                order.reason() == null ? null : order.reason().name(),
                order.customerId(),
                replicas.customer(order.customerId()).orElse(null),
                order.lines(),
                order.amountCents(),
                order.currency(),
                order.placedAt(),
                order.changedAt(),
                story.steps(),
                freshness.ages());
    }

    @GetMapping("/orders")
    @Operation(summary = "List the latest orders of a customer", description = "At most 100, the latest first.")
    List<Orders.Summary> list(@RequestParam("customer_id") String customerId) {
        return orders.ofCustomer(customerId, MOST_LISTED);
    }

    @PostMapping("/orders/{order_id}/payment")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(summary = "Pay a confirmed order", description = "The bank never accepts " + Bank.EMPTY_CARD + ".")
    void pay(@PathVariable("order_id") UUID orderId, @Valid @RequestBody Payment payment) {
        saga.pay(orderId, payment.card());
    }

    @PostMapping("/orders/{order_id}/cancellation")
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(
            summary = "Cancel a confirmed order",
            description = "Credit and stock are released first; then the state becomes cancelled.")
    void cancel(@PathVariable("order_id") UUID orderId) {
        saga.cancel(orderId);
    }

    @GetMapping("/replicas")
    @Operation(
            summary = "Show the age of the copies of other services' data",
            description = "A service without any received event is not listed.")
    List<Freshness.Age> replicas() {
        return freshness.ages();
    }
}
