package io.outboxrelay.samples.customers;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReserved;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * The customers' part in the saga of an order. Requests may arrive twice, late, or after their own compensation:
 *
 * <ul>
 *   <li>a reservation is decided once for each order; a repeated request gets the same answer;
 *   <li>a release is always answered. If nothing was reserved, the release is remembered, and a later request to
 *       reserve is rejected;
 *   <li>a payment closes the reservation of its order and releases the credit.
 * </ul>
 *
 * <p>Each method locks the customer's row first, so that decisions about one customer are made one after the other. A
 * unknown customer has no row and needs none: nothing is reserved, in whatever order two requests arrive.
 */
@Component
class Credits {

    private final JdbcClient database;
    private final Customers customers;
    private final Events events;

    Credits(JdbcClient database, Customers customers, Events events) {
        this.database = database;
        this.customers = customers;
        this.events = events;
    }

    private enum State {
        RESERVED,
        CREDIT_EXCEEDED,
        UNKNOWN_CUSTOMER,
        RELEASED,
        SETTLED
    }

    /**
     * The decision about an order.
     *
     * @param amountCents the order's amount, reserved or not; 0 if a release came first
     */
    private record Reservation(State state, long amountCents) {

        boolean stands() {
            return state == State.RESERVED;
        }
    }

    /** Reserves an order's amount from the customer's credit if enough is available, and answers. */
    @Transactional
    void reserve(String customerId, String orderId, long amountCents) {
        customers.lock(customerId);
        Reservation decided = find(customerId, orderId).orElseGet(() -> decide(customerId, orderId, amountCents));
        switch (decided.state()) {
            case RESERVED -> tellReserved(customerId, orderId, decided.amountCents());
            case CREDIT_EXCEEDED -> tellRejected(customerId, orderId, amountCents, CreditRejection.CREDIT_EXCEEDED);
            case UNKNOWN_CUSTOMER -> tellRejected(customerId, orderId, amountCents, CreditRejection.UNKNOWN_CUSTOMER);
            case RELEASED, SETTLED -> tellRejected(customerId, orderId, amountCents, CreditRejection.ALREADY_RELEASED);
        }
    }

    /** Releases the credit of an order, prevents a later reservation, and answers. */
    @Transactional
    void release(String customerId, String orderId) {
        customers.lock(customerId);
        long kept = find(customerId, orderId)
                .filter(Reservation::stands)
                .map(Reservation::amountCents)
                .orElse(0L);
        note(customerId, orderId, new Reservation(State.RELEASED, kept));
        tellReleased(customerId, orderId, kept);
    }

    /** Closes the reservation of a paid order; does nothing if there is none. */
    @Transactional
    void settle(String customerId, String orderId) {
        customers.lock(customerId);
        find(customerId, orderId).filter(Reservation::stands).ifPresent(kept -> {
            note(customerId, orderId, new Reservation(State.SETTLED, kept.amountCents()));
            tellReleased(customerId, orderId, kept.amountCents());
        });
    }

    private Reservation decide(String customerId, String orderId, long amountCents) {
        State state = customers
                .credit(customerId)
                .map(credit -> amountCents <= credit.availableCents() ? State.RESERVED : State.CREDIT_EXCEEDED)
                .orElse(State.UNKNOWN_CUSTOMER);
        Reservation decided = new Reservation(state, amountCents);
        note(customerId, orderId, decided);
        return decided;
    }

    private Optional<Reservation> find(String customerId, String orderId) {
        return database.sql("""
                        SELECT state, amount_cents FROM credit_reservation
                        WHERE customer_id = :customer_id AND order_id = :order_id
                        """)
                .param("customer_id", customerId)
                .param("order_id", orderId)
                .query(Reservation.class)
                .optional();
    }

    private void note(String customerId, String orderId, Reservation reservation) {
        database.sql("""
                        INSERT INTO credit_reservation (customer_id, order_id, state, amount_cents)
                        VALUES (:customer_id, :order_id, :state, :amount_cents)
                        ON CONFLICT (customer_id, order_id) DO UPDATE SET state = excluded.state
                        """)
                .param("customer_id", customerId)
                .param("order_id", orderId)
                .param("state", reservation.state().name())
                .param("amount_cents", reservation.amountCents())
                .update();
    }

    private void tellReserved(String customerId, String orderId, long amountCents) {
        Stamp stamp = customers.stamp(customerId);
        Credit credit = creditOf(customerId);
        events.publish(
                Customers.AGGREGATE,
                customerId,
                CreditReserved.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setOrderId(orderId)
                        .setAmountCents(amountCents)
                        .setCreditLimitCents(credit.creditLimitCents())
                        .setAvailableCents(credit.availableCents())
                        .setHappenedAt(stamp.at())
                        .build());
    }

    private void tellRejected(String customerId, String orderId, long amountCents, CreditRejection reason) {
        Stamp stamp = customers.stamp(customerId);
        Credit credit = creditOf(customerId);
        events.publish(
                Customers.AGGREGATE,
                customerId,
                CreditRejected.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setOrderId(orderId)
                        .setAmountCents(amountCents)
                        .setReason(reason)
                        .setCreditLimitCents(credit.creditLimitCents())
                        .setAvailableCents(credit.availableCents())
                        .setHappenedAt(stamp.at())
                        .build());
    }

    private void tellReleased(String customerId, String orderId, long amountCents) {
        Stamp stamp = customers.stamp(customerId);
        Credit credit = creditOf(customerId);
        events.publish(
                Customers.AGGREGATE,
                customerId,
                CreditReleased.newBuilder()
                        .setCustomerId(customerId)
                        .setVersion(stamp.version())
                        .setOrderId(orderId)
                        .setAmountCents(amountCents)
                        .setCreditLimitCents(credit.creditLimitCents())
                        .setAvailableCents(credit.availableCents())
                        .setHappenedAt(stamp.at())
                        .build());
    }

    private Credit creditOf(String customerId) {
        return customers.credit(customerId).orElseGet(() -> new Credit(customerId, 0, 0, 0));
    }
}
