package io.outboxrelay.samples.customers.client;

/**
 * A country to which the shop sells.
 *
 * @param code ISO 3166, two letters
 * @param version increases by one with each event of the country
 * @param name in English
 * @param currency ISO 4217 code
 */
public record Country(String code, int version, String name, String currency) {}
