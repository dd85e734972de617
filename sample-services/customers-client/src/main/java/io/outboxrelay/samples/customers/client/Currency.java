package io.outboxrelay.samples.customers.client;

/**
 * A currency that the shop accepts.
 *
 * @param code ISO 4217, three letters
 * @param version increases by one with each event of the currency
 * @param name in English
 * @param minorDigits digits after the decimal point
 */
public record Currency(String code, int version, String name, int minorDigits) {}
