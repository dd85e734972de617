package io.outboxrelay.samples.products;

/**
 * A product as it is now.
 *
 * @param productId chosen by this service; means nothing to others
 * @param version grows by one with each event of the product, from 1; stock is not part of them
 * @param priceCents of one piece, in hundredths of the currency
 * @param currency ISO 4217 code
 * @param stock pieces that can be reserved
 * @param reserved pieces that are kept for orders
 */
record Product(
        String productId, int version, String name, long priceCents, String currency, long stock, long reserved) {

    Offer offer() {
        return new Offer(name, priceCents, currency);
    }
}
