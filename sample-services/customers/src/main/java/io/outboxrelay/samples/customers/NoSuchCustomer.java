package io.outboxrelay.samples.customers;

/** There is no customer with this id. */
final class NoSuchCustomer extends RuntimeException {

    NoSuchCustomer(String customerId) {
        super("There is no customer %s: GET /customers lists the customers".formatted(customerId));
    }
}
