package io.outboxrelay.samples.products;

/** There is no product with this id. */
final class NoSuchProduct extends RuntimeException {

    NoSuchProduct(String productId) {
        super("There is no product %s: GET /products lists the products".formatted(productId));
    }
}
