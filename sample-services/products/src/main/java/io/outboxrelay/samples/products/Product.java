package io.outboxrelay.samples.products;

/**
 * A product as it is now.
 *
 * @param productId chosen by this service, without a meaning to others
 * @param version increases by one with each event of the product, from 1; stock has no events of its own here
 * @param priceCents unit price, in hundredths of the currency
 * @param currency ISO 4217 code
 * @param stock items that can be reserved
 * @param reserved items that are reserved for orders
 */
record Product(
        String productId, int version, String name, long priceCents, String currency, long stock, long reserved) {

    Offer offer() {
        return new Offer(name, priceCents, currency);
    }
}
