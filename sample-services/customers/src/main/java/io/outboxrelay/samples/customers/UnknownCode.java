package io.outboxrelay.samples.customers;

/** A request refers to a country or a currency that the shop does not have. */
final class UnknownCode extends RuntimeException {

    /**
     * @param kind {@code country} or {@code currency}
     * @param code which one
     * @param list path of the list of valid codes
     */
    UnknownCode(String kind, String code, String list) {
        super("Unknown %s %s: use one from GET %s, or add it with PUT %s/%s".formatted(kind, code, list, list, code));
    }
}
