package io.outboxrelay.samples.customers.client;

/**
 * A country that the shop sells to.
 *
 * @param code ISO 3166, two letters
 * @param version grows by one with each event of the country
 * @param name in English
 * @param currency ISO 4217 code
 */
public record Country(String code, int version, String name, String currency) {}
