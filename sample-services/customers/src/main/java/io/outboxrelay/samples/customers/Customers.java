package io.outboxrelay.samples.customers;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditLimitChanged;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * The customers' master data. Each change is one local transaction: lock the customer's row, change it, write the
 * event. A change without effect writes no event.
 */
@Component
class Customers {

    /** The aggregate type of all events of a customer, those of its credit too. */
    static final String AGGREGATE = "customer";

    /** Lists are for people. A service that needs all customers keeps a copy, fed by events. */
    private static final int MOST_LISTED = 200;

    private final JdbcClient database;
    private final Events events;
    private final ReferenceData referenceData;

    Customers(JdbcClient database, Events events, ReferenceData referenceData) {
        this.database = database;
        this.events = events;
        this.referenceData = referenceData;
    }

    @Transactional
    Customer register(Profile profile, long creditLimitCents) {
        referenceData.requireCountry(profile.country());
        String customerId = UUID.randomUUID().toString();
        Stamp stamp = database.sql("""
                        INSERT INTO customer (customer_id, version, name, email, region, country, credit_limit_cents)
                        VALUES (:customer_id, 1, :name, :email, :region, :country, :credit_limit_cents)
                        RETURNING version, registered_at AS happened_at
                        """)
                .param("customer_id", customerId)
                .param("name", profile.name())
                .param("email", profile.email())
                .param("region", profile.region())
                .param("country", profile.country())
                .param("credit_limit_cents", creditLimitCents)
                .query(Stamp.class)
                .single();
        events.publish(
                AGGREGATE,
                customerId,
                CustomerRegistered.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setName(profile.name())
                        .setEmail(profile.email())
                        .setRegion(profile.region())
                        .setCreditLimitCents(creditLimitCents)
                        .setCountry(profile.country())
                        .setHappenedAt(stamp.at())
                        .build());
        return get(customerId);
    }

    @Transactional
    Customer change(String customerId, Profile profile) {
        Customer before = lock(customerId).orElseThrow(() -> new NoSuchCustomer(customerId));
        if (before.profile().equals(profile)) {
            return before;
        }
        referenceData.requireCountry(profile.country());
        database.sql("""
                        UPDATE customer SET name = :name, email = :email, region = :region, country = :country
                        WHERE customer_id = :customer_id
                        """)
                .param("customer_id", customerId)
                .param("name", profile.name())
                .param("email", profile.email())
                .param("region", profile.region())
                .param("country", profile.country())
                .update();
        Stamp stamp = stamp(customerId);
        events.publish(
                AGGREGATE,
                customerId,
                CustomerChanged.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setName(profile.name())
                        .setEmail(profile.email())
                        .setRegion(profile.region())
                        .setCountry(profile.country())
                        .setHappenedAt(stamp.at())
                        .build());
        return get(customerId);
    }

    /** The limit may be lowered below the reservations: they stay, and new ones are refused. */
    @Transactional
    Customer limitCredit(String customerId, long creditLimitCents) {
        Customer before = lock(customerId).orElseThrow(() -> new NoSuchCustomer(customerId));
        if (before.creditLimitCents() == creditLimitCents) {
            return before;
        }
        database.sql("UPDATE customer SET credit_limit_cents = :credit_limit_cents WHERE customer_id = :customer_id")
                .param("customer_id", customerId)
                .param("credit_limit_cents", creditLimitCents)
                .update();
        Stamp stamp = stamp(customerId);
        events.publish(
                AGGREGATE,
                customerId,
                CreditLimitChanged.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setCreditLimitCents(creditLimitCents)
                        .setAvailableCents(credit(customerId).orElseThrow().availableCents())
                        .setHappenedAt(stamp.at())
                        .build());
        return get(customerId);
    }

    Optional<Customer> find(String customerId) {
        return database.sql("SELECT * FROM customer WHERE customer_id = :customer_id")
                .param("customer_id", customerId)
                .query(Customer.class)
                .optional();
    }

    /** Customers in alphabetical order, of one region or of all, at most {@value #MOST_LISTED}. */
    List<Customer> list(@Nullable String region) {
        return database.sql("""
                        SELECT * FROM customer WHERE region = coalesce(:region, region)
                        ORDER BY name, customer_id LIMIT :most
                        """)
                .param("region", region)
                .param("most", MOST_LISTED)
                .query(Customer.class)
                .list();
    }

    /**
     * A customer's available credit. To base a decision on it, first {@link #lock} the customer in a separate
     * statement: a single statement that locked and summed up would wait for the row, and then sum up the state before
     * the wait.
     */
    Optional<Credit> credit(String customerId) {
        return database.sql("SELECT * FROM credit WHERE customer_id = :customer_id")
                .param("customer_id", customerId)
                .query(Credit.class)
                .optional();
    }

    /** Makes all other changes of this customer and decisions about its credit wait until the transaction ends. */
    Optional<Customer> lock(String customerId) {
        return database.sql("SELECT * FROM customer WHERE customer_id = :customer_id FOR UPDATE")
                .param("customer_id", customerId)
                .query(Customer.class)
                .optional();
    }

    /** Counts the next event of a locked customer; version 0 if the customer does not exist. */
    Stamp stamp(String customerId) {
        return database.sql("""
                        UPDATE customer SET version = version + 1 WHERE customer_id = :customer_id
                        RETURNING version, clock_timestamp() AS happened_at
                        """)
                .param("customer_id", customerId)
                .query(Stamp.class)
                .optional()
                .orElseGet(() -> database.sql("SELECT 0 AS version, clock_timestamp() AS happened_at")
                        .query(Stamp.class)
                        .single());
    }

    private Customer get(String customerId) {
        return find(customerId).orElseThrow();
    }
}
