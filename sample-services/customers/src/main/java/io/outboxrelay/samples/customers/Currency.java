package io.outboxrelay.samples.customers;

/**
 * A currency that the shop takes.
 *
 * @param code ISO 4217, three letters
 * @param version grows by one with each event of the currency; 0 until the first one is written
 * @param minorDigits digits behind the decimal point
 */
record Currency(String code, int version, String name, int minorDigits) {}
