package io.outboxrelay.samples.customers.client;

/** The service answered that there is no such customer. */
public final class NoSuchCustomer extends RuntimeException {

    NoSuchCustomer(String customerId) {
        super("The customers service knows no customer %s".formatted(customerId));
    }
}
