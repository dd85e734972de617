package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.contracts.OrderRejection;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two instances of the service. Neither checks deadlines unless a test makes it. */
@Tag("server")
class SagaDeadlinesTest {

    private static final String[] NEVER = {"--shop.saga.timeout=1h", "--shop.saga.check=1h"};

    private static RunningOrders shop;
    private static List<PlaceOrderSaga> instances;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        shop = RunningOrders.start(NEVER);
        instances = List.of(
                shop.bean(PlaceOrderSaga.class),
                shop.startAnotherInstance(NEVER).getBean(PlaceOrderSaga.class));
        shop.know("anna", "lamp", 1_990);
    }

    @AfterAll
    static void stop() throws IOException {
        shop.close();
    }

    @Test
    void each_overdue_order_takes_one_step_however_many_instances_check() {
        List<UUID> orders = Stream.generate(SagaDeadlinesTest::place).limit(150).toList();
        orders.forEach(shop::expire);

        List<CompletableFuture<Integer>> looks = Stream.concat(instances.stream(), instances.stream())
                .map(saga -> CompletableFuture.supplyAsync(() -> lookUntilNothingIsLeft(saga)))
                .toList();
        int steps = looks.stream().mapToInt(CompletableFuture::join).sum();

        assertThat(steps).isEqualTo(orders.size());
        assertThat(orders)
                .allSatisfy(order -> assertThat(shop.toldTypes(order))
                        .containsExactly("OrderPlaced", "StockReservationRequested", "StockReleaseRequested"));
    }

    @Test
    void a_check_takes_a_bounded_number_of_orders_and_the_longest_waiting_first() {
        List<UUID> orders = Stream.generate(SagaDeadlinesTest::place)
                .limit(PlaceOrderSaga.BATCH + 1)
                .toList();
        orders.forEach(shop::expire);
        UUID latest = orders.get(orders.size() - 1);

        assertThat(instances.get(0).deadlinesPassed()).isEqualTo(PlaceOrderSaga.BATCH);
        assertThat(shop.order(latest).state()).isEqualTo(OrderState.AWAITING_STOCK);
        assertThat(instances.get(0).deadlinesPassed()).isEqualTo(1);
    }

    @Test
    void a_locked_order_is_skipped_without_waiting() throws SQLException {
        UUID held = place();
        UUID free = place();
        shop.expire(held);
        shop.expire(free);
        try (Connection somebody = shop.database().database().dataSource().getConnection();
                Statement statement = somebody.createStatement()) {
            somebody.setAutoCommit(false);
            statement.execute("SELECT 1 FROM orders WHERE order_id = '%s' FOR UPDATE".formatted(held));

            assertThat(CompletableFuture.supplyAsync(instances.get(0)::deadlinesPassed))
                    .succeedsWithin(RunningOrders.SOON)
                    .isEqualTo(1);
            assertThat(shop.order(free).state()).isEqualTo(OrderState.RELEASING_STOCK);
            assertThat(shop.order(held).state()).isEqualTo(OrderState.AWAITING_STOCK);
            somebody.rollback();
        }
        assertThat(instances.get(1).deadlinesPassed()).isEqualTo(1);
    }

    @Test
    void a_saga_without_an_answer_repeats_its_request_and_continues_at_the_first_answer()
            throws IOException, TimeoutException {
        try (RunningOrders impatient = RunningOrders.start("--shop.saga.timeout=200ms", "--shop.saga.check=50ms")) {
            impatient.know("anna", "lamp", 1_990);
            UUID order = place(impatient);
            await().atMost(RunningOrders.SOON)
                    .until(() -> impatient.toldTypes(order).stream()
                                    .filter("StockReleaseRequested"::equals)
                                    .count()
                            >= 3);
            impatient.deliver("reservation", SagaReply.stockReleased(order));
            impatient.awaitState(order, OrderState.REJECTED);

            assertThat(impatient.order(order).reason()).isEqualTo(OrderRejection.TIMED_OUT);
        }
    }

    private static UUID place() {
        return place(shop);
    }

    private static UUID place(RunningOrders where) {
        return where.bean(Checkout.class)
                .order("anna", List.of(new Checkout.Wanted("lamp", 1)))
                .order()
                .orderId();
    }

    private static int lookUntilNothingIsLeft(PlaceOrderSaga saga) {
        int all = 0;
        for (int some = saga.deadlinesPassed(); some > 0; some = saga.deadlinesPassed()) {
            all += some;
        }
        return all;
    }
}
