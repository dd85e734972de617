package io.outboxrelay.samples.customers;

/**
 * A currency that the shop accepts.
 *
 * @param code ISO 4217, three letters
 * @param version increases by one with each event of the currency; 0 before the first one
 * @param minorDigits digits after the decimal point
 */
record Currency(String code, int version, String name, int minorDigits) {}
