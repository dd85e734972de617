package io.outboxrelay.samples.storefront;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Orders over HTTP. Reads are composed from the owners' answers. Changes are passed on to the orders service, so that
 * the page needs only one host. This class does not validate orders.
 */
@RestController
@RequestMapping("/orders")
@Tag(name = "Orders", description = "Composed from the owning services; 503: the orders service is unavailable")
class OrdersApi {

    private final OrderComposition composition;
    private final RemoteService orders;
    private final OwnOrders own;

    OrdersApi(OrderComposition composition, RemoteService orders, OwnOrders own) {
        this.composition = composition;
        this.orders = orders;
        this.own = own;
    }

    record Placing(
            @NotBlank @Size(max = 100) String customerId,
            @NotEmpty @Size(max = 100) List<@NotNull @Valid Line> lines) {}

    record Line(
            @NotBlank @Size(max = 100) String productId,
            @Min(1) int quantity) {}

    record Payment(@NotBlank @Size(max = 100) String card) {}

    @GetMapping("/{orderId}")
    @Operation(summary = "Show an order, composed from the answers of orders, customers and products")
    ComposedOrder find(@PathVariable UUID orderId) {
        return composition.compose(orderId.toString()).orElseThrow(() -> new NoSuchOrder(orderId));
    }

    @PostMapping
    @Operation(
            summary = "Place an order: 202, and its saga begins",
            description = "Answers when the views have the order, or after a second.")
    ResponseEntity<byte[]> place(@RequestBody @Valid Placing placing) {
        ResponseEntity<byte[]> answer = passOn("/orders", placing);
        if (answer.getStatusCode().is2xxSuccessful()) {
            own.await(answer.getBody());
        }
        return answer;
    }

    @PostMapping("/{orderId}/payment")
    @Operation(summary = "Pay a confirmed order")
    ResponseEntity<byte[]> pay(@PathVariable UUID orderId, @RequestBody @Valid Payment payment) {
        return passOn("/orders/{id}/payment", payment, orderId);
    }

    @PostMapping("/{orderId}/cancellation")
    @Operation(summary = "Cancel a confirmed order: 202, and its saga compensates")
    ResponseEntity<byte[]> cancel(@PathVariable UUID orderId) {
        return passOn("/orders/{id}/cancellation", null, orderId);
    }

    private ResponseEntity<byte[]> passOn(String path, @Nullable Object body, Object... ids) {
        ResponseEntity<byte[]> answer = orders.post(path, body, ids);
        ResponseEntity.BodyBuilder passed = ResponseEntity.status(answer.getStatusCode());
        HttpHeaders headers = answer.getHeaders();
        if (headers.getContentType() != null) {
            passed.contentType(headers.getContentType());
        }
        URI location = headers.getLocation();
        if (location != null) {
            // The same path exists here, on another host than the one that the orders service names.
            passed.location(URI.create(location.getRawPath()));
        }
        return passed.body(answer.getBody());
    }
}
