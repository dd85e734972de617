package io.outboxrelay.samples.customers;

/**
 * A country to which the shop sells.
 *
 * @param code ISO 3166, two letters
 * @param version increases by one with each event of the country; 0 before the first one
 * @param currency ISO 4217 code
 */
record Country(String code, int version, String name, String currency) {}
