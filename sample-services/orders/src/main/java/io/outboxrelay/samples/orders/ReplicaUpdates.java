package io.outboxrelay.samples.orders;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.chassis.Freshness;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import io.outboxrelay.samples.contracts.CustomersHeartbeat;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import io.outboxrelay.samples.contracts.ProductsHeartbeat;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Updates the {@link Replicas} from the owners' events. Each event has all data of a customer or product, and a row
 * keeps the highest version. So the order and the number of deliveries do not matter, and a replay of old events may
 * run while new ones arrive.
 */
@Component
class ReplicaUpdates implements EventHandler {

    private static final String CUSTOMERS = "customers";
    private static final String PRODUCTS = "products";

    private final Events events;
    private final JdbcClient database;
    private final Freshness freshness;

    ReplicaUpdates(Events events, JdbcClient database, Freshness freshness) {
        this.events = events;
        this.database = database;
        this.freshness = freshness;
    }

    @Override
    public void handle(ReceivedEvent received) {
        events.read(received).ifPresent(this::apply);
    }

    /** Ignores other events of the queue, which contain nothing that is stored here. */
    private void apply(SpecificRecord event) {
        if (event instanceof CustomerRegistered it) {
            keepCustomer(it.getCustomerId(), it.getVersion(), it.getName(), it.getEmail());
            heard(CUSTOMERS, event);
        } else if (event instanceof CustomerChanged it) {
            keepCustomer(it.getCustomerId(), it.getVersion(), it.getName(), it.getEmail());
            heard(CUSTOMERS, event);
        } else if (event instanceof ProductAdded it) {
            keepProduct(it.getProductId(), it.getVersion(), it.getName(), it.getPriceCents(), it.getCurrency());
            heard(PRODUCTS, event);
        } else if (event instanceof ProductChanged it) {
            keepProduct(it.getProductId(), it.getVersion(), it.getName(), it.getPriceCents(), it.getCurrency());
            heard(PRODUCTS, event);
        } else if (event instanceof CustomersHeartbeat) {
            heard(CUSTOMERS, event);
        } else if (event instanceof ProductsHeartbeat) {
            heard(PRODUCTS, event);
        }
    }

    private void keepCustomer(String customerId, int version, String name, String email) {
        database.sql("""
                        INSERT INTO customer_replica AS kept (customer_id, version, name, email)
                        VALUES (:customer_id, :version, :name, :email)
                        ON CONFLICT (customer_id) DO UPDATE
                        SET version = excluded.version, name = excluded.name, email = excluded.email
                        WHERE excluded.version > kept.version
                        """)
                .param("customer_id", customerId)
                .param("version", version)
                .param("name", name)
                .param("email", email)
                .update();
    }

    private void keepProduct(String productId, int version, String name, long priceCents, String currency) {
        database.sql("""
                        INSERT INTO product_replica AS kept (product_id, version, name, price_cents, currency)
                        VALUES (:product_id, :version, :name, :price_cents, :currency)
                        ON CONFLICT (product_id) DO UPDATE
                        SET version = excluded.version, name = excluded.name,
                            price_cents = excluded.price_cents, currency = excluded.currency
                        WHERE excluded.version > kept.version
                        """)
                .param("product_id", productId)
                .param("version", version)
                .param("name", name)
                .param("price_cents", priceCents)
                .param("currency", currency)
                .update();
    }

    private void heard(String source, SpecificRecord event) {
        freshness.heard(source, Events.happenedAt(event));
    }
}
