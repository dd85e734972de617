package io.outboxrelay.samples.orders;

import static io.outboxrelay.samples.orders.OrderState.AWAITING_CREDIT;
import static io.outboxrelay.samples.orders.OrderState.CANCELLED;
import static io.outboxrelay.samples.orders.OrderState.CONFIRMED;
import static io.outboxrelay.samples.orders.OrderState.REJECTED;
import static io.outboxrelay.samples.orders.OrderState.RELEASING_CREDIT;
import static io.outboxrelay.samples.orders.OrderState.RELEASING_STOCK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditLimitChanged;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderLine;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderRejected;
import io.outboxrelay.samples.contracts.OrderRejection;
import io.outboxrelay.samples.contracts.PricedLine;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** No deadline passes unless a test makes it pass. */
@Tag("server")
class PlaceOrderSagaTest {

    private static final String GOOD_CARD = "4000-0000-0000-0001";

    private static RunningOrders shop;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        shop = RunningOrders.start("--shop.saga.timeout=1h", "--shop.saga.check=50ms");
        shop.know("anna", "lamp", 1_990);
    }

    @AfterAll
    static void stop() throws IOException {
        shop.close();
    }

    private final PlaceOrderSaga saga = shop.bean(PlaceOrderSaga.class);

    @Test
    void an_order_with_reserved_stock_and_credit_is_confirmed() {
        UUID order = place();
        shop.deliver("reservation", SagaReply.stockReserved(order));
        shop.awaitState(order, AWAITING_CREDIT);
        shop.deliver("customer", SagaReply.creditReserved(order));
        shop.awaitState(order, CONFIRMED);

        assertThat(shop.toldTypes(order))
                .containsExactly(
                        "OrderPlaced", "StockReservationRequested", "CreditReservationRequested", "OrderConfirmed");
        assertThat(shop.order(order).reason()).isNull();
    }

    @Test
    void requests_to_other_services_have_all_the_data_that_they_need() {
        UUID order = stockReserved();
        List<SpecificRecord> told = shop.told(order);

        OrderPlaced placed = (OrderPlaced) told.get(0);
        assertThat(placed.getCustomerId()).isEqualTo("anna");
        assertThat(placed.getLines()).containsExactly(new PricedLine("lamp", "Lamp", 2, 1_990L));
        assertThat(placed.getAmountCents()).isEqualTo(3_980);
        assertThat(placed.getCurrency()).isEqualTo("EUR");
        StockReservationRequested stock = (StockReservationRequested) told.get(1);
        assertThat(stock.getOrderId()).isEqualTo(order.toString());
        assertThat(stock.getLines()).containsExactly(new OrderLine("lamp", 2));
        CreditReservationRequested credit = (CreditReservationRequested) told.get(2);
        assertThat(credit.getOrderId()).isEqualTo(order.toString());
        assertThat(credit.getCustomerId()).isEqualTo("anna");
        assertThat(credit.getAmountCents()).isEqualTo(3_980);
    }

    @Test
    void each_event_has_the_next_version_of_its_order_and_a_step_of_the_saga() {
        UUID order = confirmed();
        saga.pay(order, GOOD_CARD);

        List<SpecificRecord> told = shop.told(order);
        assertThat(told)
                .extracting(Events::version)
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 5).boxed().toList());
        assertThat(told).extracting(Events::happenedAt).isSorted();
        assertThat(shop.bean(Orders.class).find(order).orElseThrow().steps())
                .extracting(Orders.Step::number, Orders.Step::step, Orders.Step::happenedAt)
                .containsExactlyElementsOf(told.stream()
                        .map(event ->
                                tuple(Events.version(event), event.getSchema().getName(), Events.happenedAt(event)))
                        .toList());
    }

    @ParameterizedTest
    @CsvSource({"OUT_OF_STOCK, OUT_OF_STOCK", "UNKNOWN_PRODUCT, UNKNOWN_PRODUCT", "ALREADY_RELEASED, UNKNOWN"})
    void without_stock_an_order_is_rejected_without_compensation(StockRejection answer, OrderRejection reason) {
        UUID order = place();
        shop.deliver("reservation", SagaReply.stockRejected(order, answer));
        shop.awaitState(order, REJECTED);

        assertThat(shop.toldTypes(order)).containsExactly("OrderPlaced", "StockReservationRequested", "OrderRejected");
        assertThat(rejection(order)).isEqualTo(reason);
    }

    @ParameterizedTest
    @CsvSource({"CREDIT_EXCEEDED, CREDIT_EXCEEDED", "UNKNOWN_CUSTOMER, UNKNOWN_CUSTOMER", "UNKNOWN, UNKNOWN"})
    void without_credit_the_stock_is_released_before_the_order_is_rejected(
            CreditRejection answer, OrderRejection reason) {
        UUID order = stockReserved();
        shop.deliver("customer", SagaReply.creditRejected(order, answer));
        shop.awaitState(order, RELEASING_STOCK);
        shop.deliver("reservation", SagaReply.stockReleased(order));
        shop.awaitState(order, REJECTED);

        assertThat(shop.toldTypes(order))
                .containsExactly(
                        "OrderPlaced",
                        "StockReservationRequested",
                        "CreditReservationRequested",
                        "StockReleaseRequested",
                        "OrderRejected");
        assertThat(rejection(order)).isEqualTo(reason);
    }

    @Test
    void an_order_without_an_answer_about_stock_in_time_releases_it_and_is_rejected() {
        UUID order = place();
        shop.expire(order);
        shop.awaitState(order, RELEASING_STOCK);
        shop.deliver("reservation", SagaReply.stockReleased(order));
        shop.awaitState(order, REJECTED);

        assertThat(shop.toldTypes(order))
                .containsExactly("OrderPlaced", "StockReservationRequested", "StockReleaseRequested", "OrderRejected");
        assertThat(rejection(order)).isEqualTo(OrderRejection.TIMED_OUT);
    }

    @Test
    void an_order_without_an_answer_about_credit_in_time_releases_credit_then_stock() {
        UUID order = stockReserved();
        shop.expire(order);
        shop.awaitState(order, RELEASING_CREDIT);
        shop.deliver("customer", SagaReply.creditReleased(order));
        shop.awaitState(order, RELEASING_STOCK);
        shop.deliver("reservation", SagaReply.stockReleased(order));
        shop.awaitState(order, REJECTED);

        assertThat(shop.toldTypes(order))
                .containsExactly(
                        "OrderPlaced",
                        "StockReservationRequested",
                        "CreditReservationRequested",
                        "CreditReleaseRequested",
                        "StockReleaseRequested",
                        "OrderRejected");
        assertThat(rejection(order)).isEqualTo(OrderRejection.TIMED_OUT);
    }

    @Test
    void a_release_without_an_answer_in_time_is_requested_again_and_the_reason_stays() {
        UUID order = stockReserved();
        shop.deliver("customer", SagaReply.creditRejected(order, CreditRejection.CREDIT_EXCEEDED));
        shop.awaitState(order, RELEASING_STOCK);
        int version = shop.order(order).version();
        shop.expire(order);
        awaitVersion(order, version + 1);
        shop.expire(order);
        awaitVersion(order, version + 2);
        shop.deliver("reservation", SagaReply.stockReleased(order));
        shop.awaitState(order, REJECTED);

        assertThat(shop.toldTypes(order))
                .containsSubsequence(
                        "StockReleaseRequested", "StockReleaseRequested", "StockReleaseRequested", "OrderRejected");
        assertThat(rejection(order)).isEqualTo(OrderRejection.CREDIT_EXCEEDED);
    }

    @Test
    void a_release_of_credit_without_an_answer_in_time_is_requested_again() {
        UUID order = confirmed();
        saga.cancel(order);
        int version = shop.order(order).version();
        shop.expire(order);
        awaitVersion(order, version + 1);

        assertThat(shop.order(order).state()).isEqualTo(RELEASING_CREDIT);
        assertThat(shop.toldTypes(order)).endsWith("CreditReleaseRequested", "CreditReleaseRequested");
    }

    @Test
    void an_answer_that_comes_after_the_timeout_changes_nothing() {
        UUID order = place();
        shop.expire(order);
        shop.awaitState(order, RELEASING_STOCK);
        Order before = shop.order(order);

        shop.deliverAndAwait("reservation", SagaReply.stockReserved(order));

        assertThat(shop.order(order)).isEqualTo(before);
    }

    @Test
    void credit_that_is_reserved_after_the_timeout_is_released() {
        UUID order = stockReserved();
        shop.expire(order);
        shop.awaitState(order, RELEASING_CREDIT);

        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));

        assertThat(shop.order(order).state()).isEqualTo(RELEASING_CREDIT);
        assertThat(shop.toldTypes(order)).endsWith("CreditReleaseRequested");
    }

    @Test
    void an_answer_that_is_delivered_or_sent_twice_counts_once() {
        UUID order = place();
        UUID eventId = shop.deliverAndAwait("reservation", SagaReply.stockReserved(order));
        shop.awaitState(order, AWAITING_CREDIT);
        shop.deliver(eventId, "reservation", SagaReply.stockReserved(order));
        shop.deliverAndAwait("reservation", SagaReply.stockReserved(order));
        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));
        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));

        assertThat(shop.toldTypes(order))
                .containsExactly(
                        "OrderPlaced", "StockReservationRequested", "CreditReservationRequested", "OrderConfirmed");
    }

    @Test
    void answers_that_come_out_of_order_change_nothing() {
        UUID order = place();
        Order before = shop.order(order);
        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));
        shop.deliverAndAwait("customer", SagaReply.creditReleased(order));
        shop.deliverAndAwait("customer", SagaReply.creditRejected(order, CreditRejection.CREDIT_EXCEEDED));
        shop.deliverAndAwait("reservation", SagaReply.stockReleased(order));

        assertThat(shop.order(order)).isEqualTo(before);
        assertThat(shop.toldTypes(order)).containsExactly("OrderPlaced", "StockReservationRequested");
    }

    @ParameterizedTest
    @EnumSource(names = {"PAID", "REJECTED", "CANCELLED"})
    void nothing_changes_an_order_that_has_ended(OrderState end) {
        UUID order = ended(end);
        Order before = shop.order(order);
        shop.deliverAndAwait("reservation", SagaReply.stockReserved(order));
        shop.deliverAndAwait("reservation", SagaReply.stockRejected(order, StockRejection.OUT_OF_STOCK));
        shop.deliverAndAwait("reservation", SagaReply.stockReleased(order));
        shop.deliverAndAwait("customer", SagaReply.creditReserved(order));
        shop.deliverAndAwait("customer", SagaReply.creditRejected(order, CreditRejection.CREDIT_EXCEEDED));
        shop.deliverAndAwait("customer", SagaReply.creditReleased(order));

        assertThat(shop.order(order)).isEqualTo(before);
    }

    @Test
    void answers_for_unknown_orders_and_other_events_are_ignored() {
        shop.deliverAndAwait("reservation", SagaReply.stockReserved(UUID.randomUUID()));
        shop.deliverAndAwait("reservation", new CreditLimitChanged("anna", 9, 5_000L, 5_000L, Instant.EPOCH));
    }

    @Test
    void a_cancelled_order_releases_credit_then_stock() {
        UUID order = confirmed();
        saga.cancel(order);
        shop.deliver("customer", SagaReply.creditReleased(order));
        shop.awaitState(order, RELEASING_STOCK);
        shop.deliver("reservation", SagaReply.stockReleased(order));
        shop.awaitState(order, CANCELLED);

        assertThat(shop.toldTypes(order))
                .containsSequence(
                        "OrderConfirmed", "CreditReleaseRequested", "StockReleaseRequested", "OrderCancelled");
        assertThat(shop.order(order).reason()).isNull();
    }

    @Test
    void a_declined_payment_leaves_no_event_and_a_confirmed_order() {
        UUID order = confirmed();
        Orders.Story before = shop.bean(Orders.class).find(order).orElseThrow();

        assertThatThrownBy(() -> saga.pay(order, Bank.EMPTY_CARD)).isInstanceOf(PaymentDeclined.class);

        assertThat(shop.toldTypes(order)).endsWith("OrderConfirmed");
        assertThat(shop.bean(Orders.class).find(order)).contains(before);
    }

    @Test
    void a_confirmed_order_is_paid_or_cancelled_and_never_both() {
        UUID paid = confirmed();
        saga.pay(paid, GOOD_CARD);
        UUID cancelled = confirmed();
        saga.cancel(cancelled);

        assertThatThrownBy(() -> saga.cancel(paid)).isInstanceOf(NotConfirmed.class);
        assertThatThrownBy(() -> saga.pay(paid, GOOD_CARD)).isInstanceOf(NotConfirmed.class);
        assertThatThrownBy(() -> saga.pay(cancelled, GOOD_CARD)).isInstanceOf(NotConfirmed.class);
        assertThat(shop.toldTypes(paid)).endsWith("OrderConfirmed", "OrderPaid");
        assertThat(shop.toldTypes(cancelled)).endsWith("OrderConfirmed", "CreditReleaseRequested");
    }

    private UUID place() {
        return shop.bean(Checkout.class)
                .order("anna", List.of(new Checkout.Wanted("lamp", 2)))
                .order()
                .orderId();
    }

    private UUID stockReserved() {
        UUID order = place();
        shop.deliver("reservation", SagaReply.stockReserved(order));
        shop.awaitState(order, AWAITING_CREDIT);
        return order;
    }

    private UUID confirmed() {
        UUID order = stockReserved();
        shop.deliver("customer", SagaReply.creditReserved(order));
        shop.awaitState(order, CONFIRMED);
        return order;
    }

    private UUID ended(OrderState end) {
        switch (end) {
            case PAID -> {
                UUID order = confirmed();
                saga.pay(order, GOOD_CARD);
                return order;
            }
            case CANCELLED -> {
                UUID order = confirmed();
                saga.cancel(order);
                shop.deliverAndAwait("customer", SagaReply.creditReleased(order));
                shop.deliverAndAwait("reservation", SagaReply.stockReleased(order));
                return order;
            }
            default -> {
                UUID order = place();
                shop.deliverAndAwait("reservation", SagaReply.stockRejected(order, StockRejection.OUT_OF_STOCK));
                return order;
            }
        }
    }

    private void awaitVersion(UUID order, int version) {
        await().atMost(RunningOrders.SOON).until(() -> shop.order(order).version() == version);
    }

    private static OrderRejection rejection(UUID order) {
        List<SpecificRecord> told = shop.told(order);
        OrderRejected rejected = (OrderRejected) told.get(told.size() - 1);
        assertThat(shop.order(order).reason()).isEqualTo(rejected.getReason());
        return rejected.getReason();
    }
}
