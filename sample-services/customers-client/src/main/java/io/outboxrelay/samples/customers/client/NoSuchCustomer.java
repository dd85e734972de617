package io.outboxrelay.samples.customers.client;

/** The service has answered, and there is no such customer. */
public final class NoSuchCustomer extends RuntimeException {

    NoSuchCustomer(String customerId) {
        super("The customers service knows no customer %s".formatted(customerId));
    }
}
