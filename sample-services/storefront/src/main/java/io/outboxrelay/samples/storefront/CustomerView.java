package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.contracts.CreditLimitChanged;
import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReserved;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Customers and their available credit. Events contain all data of their subject, so the newest one is enough. */
@Component
class CustomerView implements View {

    /** As many as fit into a drop-down list. */
    private static final int MOST = 500;

    private final JdbcClient database;

    CustomerView(JdbcClient database) {
        this.database = database;
    }

    /**
     * A customer.
     *
     * @param country two-letter ISO code
     * @param countryName null also if there was no event about the country
     */
    record Customer(
            String customerId,
            String name,
            String email,
            String region,
            @Nullable String country,
            @Nullable String countryName) {}

    /** A customer's credit. */
    record Credit(String customerId, long creditLimitCents, long availableCents) {}

    @Override
    public void apply(ShopEvent told) {
        SpecificRecord event = told.body();
        if (event instanceof CustomerRegistered is) {
            customer(is.getCustomerId(), is.getVersion(), is.getName(), is.getEmail(), is.getRegion(), is.getCountry());
            credit(is.getCustomerId(), is.getVersion(), is.getCreditLimitCents(), is.getCreditLimitCents());
        } else if (event instanceof CustomerChanged is) {
            customer(is.getCustomerId(), is.getVersion(), is.getName(), is.getEmail(), is.getRegion(), is.getCountry());
        } else if (event instanceof CreditLimitChanged is) {
            credit(is.getCustomerId(), is.getVersion(), is.getCreditLimitCents(), is.getAvailableCents());
        } else if (event instanceof CreditReserved is) {
            credit(is.getCustomerId(), is.getVersion(), is.getCreditLimitCents(), is.getAvailableCents());
        } else if (event instanceof CreditReleased is) {
            credit(is.getCustomerId(), is.getVersion(), is.getCreditLimitCents(), is.getAvailableCents());
        } else if (event instanceof CreditRejected is && is.getVersion() > 0) {
            credit(is.getCustomerId(), is.getVersion(), is.getCreditLimitCents(), is.getAvailableCents());
        }
    }

    List<Customer> all() {
        return database.sql("""
                        SELECT c.customer_id, c.name, c.email, c.region, c.country, country_view.name AS country_name
                        FROM customer_view c LEFT JOIN country_view ON country_view.code = c.country
                        ORDER BY c.name, c.customer_id
                        LIMIT :most
                        """).param("most", MOST).query(Customer.class).list();
    }

    Optional<Credit> creditOf(String customerId) {
        return database.sql("""
                        SELECT customer_id, credit_limit_cents, available_cents FROM credit_view
                        WHERE customer_id = :customer_id
                        """)
                .param("customer_id", customerId)
                .query(Credit.class)
                .optional();
    }

    private void customer(
            String customerId, int version, String name, String email, String region, @Nullable String country) {
        database.sql("""
                        INSERT INTO customer_view (customer_id, version, name, email, region, country)
                        VALUES (:customer_id, :version, :name, :email, :region, :country)
                        ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, name = excluded.name,
                            email = excluded.email, region = excluded.region, country = excluded.country
                        WHERE customer_view.version < excluded.version
                        """)
                .param("customer_id", customerId)
                .param("version", version)
                .param("name", name)
                .param("email", email)
                .param("region", region)
                .param("country", country)
                .update();
    }

    private void credit(String customerId, int version, long limitCents, long availableCents) {
        database.sql("""
                        INSERT INTO credit_view (customer_id, version, credit_limit_cents, available_cents)
                        VALUES (:customer_id, :version, :limit, :available)
                        ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version,
                            credit_limit_cents = excluded.credit_limit_cents, available_cents = excluded.available_cents
                        WHERE credit_view.version < excluded.version
                        """)
                .param("customer_id", customerId)
                .param("version", version)
                .param("limit", limitCents)
                .param("available", availableCents)
                .update();
    }
}
