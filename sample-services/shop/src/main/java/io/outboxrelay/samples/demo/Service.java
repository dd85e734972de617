package io.outboxrelay.samples.demo;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.samples.customers.CustomersService;
import io.outboxrelay.samples.orders.OrdersService;
import io.outboxrelay.samples.products.ProductsService;
import io.outboxrelay.samples.storefront.StorefrontService;
import io.outboxrelay.testservers.DatabaseKind;
import java.util.List;
import java.util.Locale;

/** The shop's services. */
enum Service {
    CUSTOMERS(CustomersService.class, DatabaseKind.POSTGRESQL, List.of(CustomersService.QUEUE)),
    PRODUCTS(ProductsService.class, DatabaseKind.MARIADB, List.of(ProductsService.QUEUE)),
    ORDERS(
            OrdersService.class,
            DatabaseKind.POSTGRESQL,
            List.of(OrdersService.SAGA_QUEUE, OrdersService.REPLICAS_QUEUE)),
    STOREFRONT(StorefrontService.class, DatabaseKind.POSTGRESQL, List.of(StorefrontService.QUEUE));

    /** Those that write events: the relays' sources. */
    static final List<Service> SOURCES = List.of(CUSTOMERS, PRODUCTS, ORDERS);

    private final Class<?> main;
    private final DatabaseKind kind;
    private final List<ConsumerQueue> queues;

    Service(Class<?> main, DatabaseKind kind, List<ConsumerQueue> queues) {
        this.main = main;
        this.kind = kind;
        this.queues = queues;
    }

    Class<?> main() {
        return main;
    }

    /** The kind of its database; each service chooses its own. */
    DatabaseKind kind() {
        return kind;
    }

    /** The queues that it consumes. */
    List<ConsumerQueue> queues() {
        return queues;
    }

    /** As in its configuration, its logs and the relays' sources. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A variable of its environment. */
    String variable(String name) {
        return name() + "_" + name;
    }
}
