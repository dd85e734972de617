package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderConfirmed;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many orders at once in a world that answers as it likes: yes, no, late, twice, and in another order than it was asked
 * in; and customers who pay, cancel, do both at once, or nothing. {@code -Dshop.seed=…} makes the same choices again.
 */
@Tag("server")
class PlaceOrderSagaModelTest {

    private static final int ORDERS = 150;
    private static final int TIMEOUT_MILLIS = 3_000;
    private static final Set<OrderState> ENDS =
            Set.of(OrderState.CONFIRMED, OrderState.PAID, OrderState.REJECTED, OrderState.CANCELLED);

    private final long seed = Long.getLong("shop.seed", System.nanoTime());
    private final Random placing = new Random(seed);
    private final Map<UUID, Random> choices = new ConcurrentHashMap<>();
    private final Map<UUID, List<SpecificRecord>> told = new ConcurrentHashMap<>();
    private final ScheduledExecutorService world = Executors.newScheduledThreadPool(1);
    private final ScheduledExecutorService customers = Executors.newScheduledThreadPool(2);
    private final AtomicInteger underWay = new AtomicInteger();
    private final Set<UUID> delivered = ConcurrentHashMap.newKeySet();
    private final PlayedParticipant stock = new PlayedParticipant();
    private final PlayedParticipant credit = new PlayedParticipant();
    private RunningOrders shop;

    @BeforeEach
    void start() throws IOException, TimeoutException {
        shop = RunningOrders.start("--shop.saga.timeout=" + TIMEOUT_MILLIS + "ms", "--shop.saga.check=50ms");
        shop.startAnotherInstance("--shop.saga.timeout=" + TIMEOUT_MILLIS + "ms", "--shop.saga.check=50ms");
        shop.know("anna", "lamp", 1_990);
    }

    @AfterEach
    void stop() throws IOException {
        world.shutdownNow();
        customers.shutdownNow();
        shop.close();
    }

    @Test
    void every_saga_ends_and_all_reservations_match_the_orders() {
        System.out.println("shop.seed=" + seed);
        for (int i = 0; i < ORDERS; i++) {
            place();
            playTheRelay();
        }
        await("seed " + seed).atMost(Duration.ofSeconds(180)).until(() -> {
            playTheRelay();
            return everythingIsSettled();
        });

        Map<UUID, OrderState> states = choices.keySet().stream()
                .collect(Collectors.toMap(
                        order -> order, order -> shop.order(order).state()));
        assertThat(states.values()).as("seed %d", seed).hasSize(ORDERS).allMatch(ENDS::contains);
        assertThat(stock.kept())
                .as("stock, seed %d", seed)
                .isEqualTo(in(states, Set.of(OrderState.CONFIRMED, OrderState.PAID)));
        assertThat(credit.kept()).as("credit, seed %d", seed).isEqualTo(in(states, Set.of(OrderState.CONFIRMED)));
        assertThat(told.values())
                .as("versions, seed %d", seed)
                .allSatisfy(events -> assertThat(events)
                        .extracting(Events::version)
                        .containsExactlyElementsOf(
                                IntStream.rangeClosed(1, events.size()).boxed().toList()));
        assertThat(states.values()).as("good and bad ends, seed %d", seed).contains(OrderState.REJECTED);
        assertThat(stock.kept()).as("good and bad ends, seed %d", seed).isNotEmpty();
    }

    private void place() {
        UUID order = shop.bean(Checkout.class)
                .order("anna", List.of(new Checkout.Wanted("lamp", 1)))
                .order()
                .orderId();
        choices.put(order, new Random(placing.nextLong()));
    }

    /** Moves the orders' events from the outbox to the model of the world. */
    private void playTheRelay() {
        shop.owner()
                .sql("""
                        WITH taken AS (DELETE FROM outbox WHERE aggregate_type = 'order' RETURNING *)
                        SELECT aggregate_id, event_type, payload FROM taken ORDER BY position
                        """)
                .query((row, number) -> {
                    UUID order = UUID.fromString(row.getString("aggregate_id"));
                    SpecificRecord event = shop.decode(row.getString("event_type"), row.getBytes("payload"));
                    told.computeIfAbsent(order, first -> new ArrayList<>()).add(event);
                    later(world, order, () -> react(order, event));
                    return order;
                })
                .list();
    }

    private void react(UUID order, SpecificRecord event) {
        Random chance = choices.get(order);
        if (event instanceof StockReservationRequested) {
            answer(
                    order,
                    "reservation",
                    switch (stock.reserve(order, () -> chance.nextInt(10) > 0)) {
                        case RESERVED -> SagaReply.stockReserved(order);
                        case REJECTED -> SagaReply.stockRejected(order, StockRejection.OUT_OF_STOCK);
                        case ALREADY_RELEASED -> SagaReply.stockRejected(order, StockRejection.ALREADY_RELEASED);
                    });
        } else if (event instanceof StockReleaseRequested) {
            stock.release(order);
            answer(order, "reservation", SagaReply.stockReleased(order));
        } else if (event instanceof CreditReservationRequested) {
            answer(
                    order,
                    "customer",
                    switch (credit.reserve(order, () -> chance.nextInt(5) > 0)) {
                        case RESERVED -> SagaReply.creditReserved(order);
                        case REJECTED -> SagaReply.creditRejected(order, CreditRejection.CREDIT_EXCEEDED);
                        case ALREADY_RELEASED -> SagaReply.creditRejected(order, CreditRejection.ALREADY_RELEASED);
                    });
        } else if (event instanceof CreditReleaseRequested || event instanceof OrderPaid) {
            credit.release(order);
            answer(order, "customer", SagaReply.creditReleased(order));
        } else if (event instanceof OrderConfirmed) {
            decide(order, chance);
        }
    }

    private void answer(UUID order, String aggregateType, SpecificRecord event) {
        Random chance = choices.get(order);
        UUID eventId = UUID.randomUUID();
        delivered.add(eventId);
        later(world, order, () -> shop.deliver(eventId, aggregateType, event));
        if (chance.nextInt(4) == 0) {
            UUID again = chance.nextBoolean() ? eventId : UUID.randomUUID();
            delivered.add(again);
            later(world, order, () -> shop.deliver(again, aggregateType, event));
        }
    }

    private void decide(UUID order, Random chance) {
        PlaceOrderSaga saga = shop.bean(PlaceOrderSaga.class);
        int decision = chance.nextInt(5);
        if (decision == 0 || decision == 1) {
            later(customers, order, () -> saga.pay(order, "4000-0000-0000-0001"));
        }
        if (decision == 1 || decision == 2) {
            later(customers, order, () -> saga.cancel(order));
        }
        if (decision == 3) {
            later(customers, order, () -> saga.pay(order, Bank.EMPTY_CARD));
        }
    }

    /** Mostly soon, and sometimes after the deadline. */
    private void later(ScheduledExecutorService who, UUID order, Runnable action) {
        Random chance = choices.get(order);
        int delay = chance.nextInt(10) == 0 ? chance.nextInt(2 * TIMEOUT_MILLIS) : chance.nextInt(50);
        underWay.incrementAndGet();
        who.schedule(
                () -> {
                    try {
                        action.run();
                    } catch (NotConfirmed | PaymentDeclined refused) {
                        assertThat(refused).hasMessageContaining(order.toString());
                    } finally {
                        underWay.decrementAndGet();
                    }
                },
                delay,
                TimeUnit.MILLISECONDS);
    }

    private boolean everythingIsSettled() {
        if (underWay.get() > 0 || handled() < delivered.size()) {
            return false;
        }
        boolean allEnded = choices.keySet().stream()
                .allMatch(order -> ENDS.contains(shop.order(order).state()));
        return allEnded && underWay.get() == 0 && outbox() == 0;
    }

    private int handled() {
        return shop.owner()
                .sql("SELECT count(*) FROM inbox WHERE consumer = 'orders.saga'")
                .query(Integer.class)
                .single();
    }

    private int outbox() {
        return shop.owner()
                .sql("SELECT count(*) FROM outbox WHERE aggregate_type = 'order'")
                .query(Integer.class)
                .single();
    }

    private static Set<UUID> in(Map<UUID, OrderState> states, Set<OrderState> wanted) {
        return states.entrySet().stream()
                .filter(order -> wanted.contains(order.getValue()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }
}
