package io.outboxrelay.samples.orders;

import java.util.List;
import java.util.UUID;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Orders over HTTP. */
@RestController
@RequestMapping("/orders")
class OrdersApi {

    private final Orders orders;

    OrdersApi(Orders orders) {
        this.orders = orders;
    }

    record Placing(String customerId, String item, int quantity, long amountCents) {}

    record Listing(long count, List<Order> latest) {}

    record Payment(String card) {}

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    Order place(@RequestBody Placing placing) {
        return orders.place(placing.customerId(), placing.item(), placing.quantity(), placing.amountCents());
    }

    @PostMapping("/{orderId}/payment")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void pay(@PathVariable UUID orderId, @RequestBody Payment payment) {
        orders.pay(orderId, payment.card());
    }

    @PostMapping("/{orderId}/shipment")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void ship(@PathVariable UUID orderId) {
        orders.ship(orderId);
    }

    /** The latest orders, and how many there are. */
    @GetMapping
    Listing latest() {
        return new Listing(orders.count(), orders.latest());
    }

    @GetMapping("/{orderId}")
    ResponseEntity<Order> find(@PathVariable UUID orderId) {
        return ResponseEntity.of(orders.find(orderId));
    }

    @ExceptionHandler
    @ResponseStatus(HttpStatus.PAYMENT_REQUIRED)
    String declined(PaymentDeclined declined) {
        return String.valueOf(declined.getMessage());
    }

    @ExceptionHandler
    @ResponseStatus(HttpStatus.NOT_FOUND)
    String missing(NoSuchOrder missing) {
        return String.valueOf(missing.getMessage());
    }
}
