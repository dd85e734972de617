package io.outboxrelay.samples.customers.client;

/**
 * A currency that the shop takes.
 *
 * @param code ISO 4217, three letters
 * @param version grows by one with each event of the currency
 * @param name in English
 * @param minorDigits digits behind the decimal point
 */
public record Currency(String code, int version, String name, int minorDigits) {}
