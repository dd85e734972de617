package io.outboxrelay.samples.customers;

/** A request refers to a country or a currency that the shop does not have. */
final class UnknownCode extends RuntimeException {

    /**
     * @param kind {@code country} or {@code currency}
     * @param code which one
     * @param list where those that there are can be seen
     */
    UnknownCode(String kind, String code, String list) {
        super("The %s %s is not known here: take one of GET %s, or add it by PUT %s/%s"
                .formatted(kind, code, list, list, code));
    }
}
