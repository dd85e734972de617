package io.outboxrelay.samples.orders;

import static io.outboxrelay.samples.orders.OrderState.AWAITING_CREDIT;
import static io.outboxrelay.samples.orders.OrderState.AWAITING_STOCK;
import static io.outboxrelay.samples.orders.OrderState.CANCELLED;
import static io.outboxrelay.samples.orders.OrderState.CONFIRMED;
import static io.outboxrelay.samples.orders.OrderState.PAID;
import static io.outboxrelay.samples.orders.OrderState.REJECTED;
import static io.outboxrelay.samples.orders.OrderState.RELEASING_CREDIT;
import static io.outboxrelay.samples.orders.OrderState.RELEASING_STOCK;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.OrderRejection;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * The saga of placing an order: reserve stock, then credit; if either is refused or not answered in time, release the
 * reservations in reverse order. No transaction spans two services: each method here is one local transaction that
 * locks the order's row, moves it to the next state and writes what that state asks of others or tells them
 * ({@link OrderEvents}) into the outbox. Between two of them the saga is a row of the database and nothing else, so it
 * survives every crash, and any instance of the service may take its next step.
 *
 * <pre>
 * state              answer                      next state
 * ----------------   -------------------------   ------------------------------------------
 * awaiting_stock     stock reserved              awaiting_credit
 *                    stock rejected              rejected
 *                    none in time                releasing_stock
 * awaiting_credit    credit reserved             confirmed
 *                    credit rejected             releasing_stock
 *                    none in time                releasing_credit
 * confirmed          the customer pays           paid
 *                    the customer cancels        releasing_credit
 * releasing_credit   credit released             releasing_stock
 *                    none in time                releasing_credit, request repeated
 * releasing_stock    stock released              rejected, or cancelled if the customer did
 *                    none in time                releasing_stock, request repeated
 * </pre>
 *
 * <p>Any other answer changes nothing: it is late or a duplicate. After a timeout the saga requests the release,
 * because something may have been reserved. The other services answer a release in any case, and refuse a reservation
 * that arrives after it.
 */
@Component
class PlaceOrderSaga {

    /** Overdue orders of one transaction: their rows are locked together, and their events written together. */
    static final int BATCH = 100;

    /** The aggregate type of all events written here. */
    private static final String AGGREGATE = "order";

    private final Orders orders;
    private final Events events;
    private final Bank bank;

    PlaceOrderSaga(Orders orders, Events events, Bank bank) {
        this.orders = orders;
        this.events = events;
        this.bank = bank;
    }

    /** An order that was just placed, and the id of the event that tells of it. */
    record Placed(Order order, UUID eventId) {}

    /** Begins the saga of a new order. */
    @Transactional
    Placed place(NewOrder order) {
        Order placed = orders.add(order, AWAITING_STOCK);
        UUID eventId = tell(placed, OrderEvents.placed(placed));
        return new Placed(enter(AWAITING_STOCK, placed), eventId);
    }

    @Transactional
    void stockReserved(UUID orderId) {
        from(AWAITING_STOCK, orderId, order -> enter(AWAITING_CREDIT, order));
    }

    @Transactional
    void stockRejected(UUID orderId, OrderRejection reason) {
        from(AWAITING_STOCK, orderId, order -> enter(REJECTED, order.because(reason)));
    }

    @Transactional
    void creditReserved(UUID orderId) {
        from(AWAITING_CREDIT, orderId, order -> enter(CONFIRMED, order));
    }

    @Transactional
    void creditRejected(UUID orderId, OrderRejection reason) {
        from(AWAITING_CREDIT, orderId, order -> enter(RELEASING_STOCK, order.because(reason)));
    }

    @Transactional
    void creditReleased(UUID orderId) {
        from(RELEASING_CREDIT, orderId, order -> enter(RELEASING_STOCK, order));
    }

    @Transactional
    void stockReleased(UUID orderId) {
        from(RELEASING_STOCK, orderId, order -> enter(order.reason() == null ? CANCELLED : REJECTED, order));
    }

    /**
     * Continues the sagas of orders whose answer is overdue, the longest waiting first. Several instances may do so at
     * once: each skips the orders that another one has locked.
     *
     * @return how many there were, at most {@link #BATCH}
     */
    @Transactional
    int deadlinesPassed() {
        List<Order> overdue = orders.lockOverdue(BATCH);
        overdue.forEach(this::deadlinePassed);
        return overdue.size();
    }

    private void deadlinePassed(Order order) {
        switch (order.state()) {
            case AWAITING_STOCK -> enter(RELEASING_STOCK, order.because(OrderRejection.TIMED_OUT));
            case AWAITING_CREDIT -> enter(RELEASING_CREDIT, order.because(OrderRejection.TIMED_OUT));
            case RELEASING_CREDIT, RELEASING_STOCK -> enter(order.state(), order);
            case CONFIRMED, PAID, REJECTED, CANCELLED ->
                throw new IllegalStateException("The order %s is %s and has a deadline"
                        .formatted(order.orderId(), order.state().text()));
        }
    }

    /**
     * Calls the bank last: if it declines, the rollback also removes the event from the outbox.
     *
     * @throws NoSuchOrder if there is none
     * @throws NotConfirmed if the order is in any other state
     * @throws PaymentDeclined if the bank declines
     */
    @Transactional
    void pay(UUID orderId, String card) {
        Order paid = enter(PAID, confirmed(orderId, "paid"));
        if (!bank.accepts(card, paid.amountCents())) {
            throw new PaymentDeclined(orderId);
        }
    }

    /**
     * Begins the compensation of an order that its customer cancels.
     *
     * @throws NoSuchOrder if there is none
     * @throws NotConfirmed if the order is in any other state
     */
    @Transactional
    void cancel(UUID orderId) {
        enter(RELEASING_CREDIT, confirmed(orderId, "cancelled"));
    }

    private Order confirmed(UUID orderId, String wanted) {
        Order order = orders.lock(orderId).orElseThrow(() -> new NoSuchOrder(orderId));
        if (order.state() != CONFIRMED) {
            throw new NotConfirmed(order, wanted);
        }
        return order;
    }

    private void from(OrderState state, UUID orderId, Consumer<Order> step) {
        orders.lock(orderId).filter(order -> order.state() == state).ifPresent(step);
    }

    /** Enters a state, or enters it again, and writes its events. */
    private Order enter(OrderState state, Order order) {
        Order entered = orders.move(order, state);
        tell(entered, OrderEvents.entered(entered));
        return entered;
    }

    private UUID tell(Order order, SpecificRecord event) {
        UUID eventId = events.publish(AGGREGATE, order.orderId().toString(), event);
        orders.note(order, event.getSchema().getName());
        return eventId;
    }
}
