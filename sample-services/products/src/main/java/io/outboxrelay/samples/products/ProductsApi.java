package io.outboxrelay.samples.products;

import io.swagger.v3.oas.annotations.Operation;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.util.List;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Products over HTTP. */
@RestController
@RequestMapping("/products")
class ProductsApi {

    private static final int MOST_PIECES = 1_000_000;
    private static final String AT_MOST = "must be at most {value}";

    private final Products products;

    ProductsApi(Products products) {
        this.products = products;
    }

    /** An offer and its initial stock. */
    record Addition(
            @NotBlank(message = Offer.GIVEN) @Size(max = 200, message = Offer.SHORT)
            String name,

            @NotNull(message = Offer.GIVEN) @PositiveOrZero(message = Offer.NOT_BELOW_ZERO)
            Long priceCents,

            @NotNull(message = Offer.GIVEN) @Pattern(regexp = Offer.ISO_4217, message = Offer.THREE_LETTERS)
            String currency,

            @NotNull(message = Offer.GIVEN)
            @PositiveOrZero(message = Offer.NOT_BELOW_ZERO)
            @Max(value = MOST_PIECES, message = AT_MOST)
            Integer stock) {

        Offer offer() {
            return new Offer(name, priceCents, currency);
        }
    }

    record Delivery(
            @NotNull(message = Offer.GIVEN)
            @Positive(message = "must be 1 or more")
            @Max(value = MOST_PIECES, message = AT_MOST)
            Integer quantity) {}

    @PostMapping
    @Operation(summary = "Add a product")
    ResponseEntity<Product> add(@Valid @RequestBody Addition addition) {
        Product product = products.add(addition.offer(), addition.stock());
        return ResponseEntity.created(URI.create("/products/" + product.productId()))
                .body(product);
    }

    @GetMapping
    @Operation(
            summary = "List products",
            description = "In alphabetical order, at most 200. To get all of them, keep a copy, fed by events.")
    List<Product> list() {
        return products.list();
    }

    @GetMapping("/{productId}")
    @Operation(summary = "Show a product and its stock")
    Product show(@PathVariable String productId) {
        return products.find(productId).orElseThrow(() -> new NoSuchProduct(productId));
    }

    @PutMapping("/{productId}")
    @Operation(summary = "Change the name and price of a product", description = "Existing orders keep their price.")
    Product change(@PathVariable String productId, @Valid @RequestBody Offer offer) {
        return products.change(productId, offer);
    }

    @PostMapping("/{productId}/deliveries")
    @Operation(summary = "Add to the stock", description = "Not idempotent: two requests add twice.")
    Product deliver(@PathVariable String productId, @Valid @RequestBody Delivery delivery) {
        return products.deliver(productId, delivery.quantity());
    }
}
