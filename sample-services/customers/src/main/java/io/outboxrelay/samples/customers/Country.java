package io.outboxrelay.samples.customers;

/**
 * A country that the shop sells to.
 *
 * @param code ISO 3166, two letters
 * @param version grows by one with each event of the country; 0 until the first one is written
 * @param currency ISO 4217 code
 */
record Country(String code, int version, String name, String currency) {}
