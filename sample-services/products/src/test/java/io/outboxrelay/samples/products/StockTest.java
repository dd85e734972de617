package io.outboxrelay.samples.products;

import static io.outboxrelay.samples.products.OrderRequests.line;
import static io.outboxrelay.samples.products.OrderRequests.release;
import static io.outboxrelay.samples.products.OrderRequests.reserve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.StockRejected;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReleased;
import io.outboxrelay.samples.contracts.StockReserved;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;

/** The products' part in the saga: requests may arrive twice, late, or after their own compensation. */
@Tag("server")
class StockTest {

    private static final int AT_ONCE = 40;
    private static final int RANDOM_REQUESTS = 400;
    private static final long SEED = 20_261_126;

    private static RunningProducts service;

    @BeforeAll
    static void start() {
        service = new RunningProducts();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private final Products products = service.bean(Products.class);
    private final String order = UUID.randomUUID().toString();

    @Test
    void items_in_stock_are_reserved() {
        String lamp = productWithStock(10);
        String chair = productWithStock(4);

        service.handle(reserve(order, line(lamp, 2), line(chair, 4)));

        StockReserved answer = (StockReserved) lastTold();
        assertThat(answer.getLines()).containsExactlyInAnyOrder(line(lamp, 2), line(chair, 4));
        assertThat(answer.getVersion()).isEqualTo(1);
        assertStock(lamp, 8, 2);
        assertStock(chair, 0, 4);
    }

    @Test
    void all_lines_are_reserved_or_none() {
        String lamp = productWithStock(10);
        String chair = productWithStock(4);

        service.handle(reserve(order, line(lamp, 2), line(chair, 5)));

        StockRejected answer = (StockRejected) lastTold();
        assertThat(answer.getReason()).isEqualTo(StockRejection.OUT_OF_STOCK);
        assertThat(answer.getProductId()).isEqualTo(chair);
        assertStock(lamp, 10, 0);
        assertStock(chair, 4, 0);
    }

    @Test
    void lines_of_one_product_count_together() {
        String lamp = productWithStock(10);

        service.handle(reserve(order, line(lamp, 6), line(lamp, 5)));

        assertThat(lastTold()).isInstanceOf(StockRejected.class);
        assertStock(lamp, 10, 0);
    }

    @Test
    void an_unknown_product_is_named() {
        String lamp = productWithStock(10);

        service.handle(reserve(order, line(lamp, 1), line("nothing", 1)));

        StockRejected answer = (StockRejected) lastTold();
        assertThat(answer.getReason()).isEqualTo(StockRejection.UNKNOWN_PRODUCT);
        assertThat(answer.getProductId()).isEqualTo("nothing");
        assertStock(lamp, 10, 0);
    }

    @Test
    void a_repeated_request_gets_the_same_answer_and_reserves_nothing_more() {
        String lamp = productWithStock(10);

        service.handle(reserve(order, line(lamp, 6)));
        service.handle(reserve(order, line(lamp, 6)));

        List<SpecificRecord> told = service.toldOfOrder(order);
        assertThat(told).hasOnlyElementsOfType(StockReserved.class);
        assertThat(told).extracting(Events::version).containsExactly(1, 2);
        assertThat(((StockReserved) lastTold()).getLines()).containsExactly(line(lamp, 6));
        assertStock(lamp, 4, 6);
    }

    @Test
    void a_rejection_stands_when_stock_is_delivered_later() {
        String lamp = productWithStock(1);
        service.handle(reserve(order, line(lamp, 2)));
        products.deliver(lamp, 10);

        service.handle(reserve(order, line(lamp, 2)));

        StockRejected answer = (StockRejected) lastTold();
        assertThat(answer.getReason()).isEqualTo(StockRejection.OUT_OF_STOCK);
        assertThat(answer.getProductId()).isEqualTo(lamp);
        assertStock(lamp, 11, 0);
    }

    @Test
    void released_items_are_in_stock_again() {
        String lamp = productWithStock(10);
        service.handle(reserve(order, line(lamp, 6)));

        service.handle(release(order));

        assertThat(((StockReleased) lastTold()).getLines()).containsExactly(line(lamp, 6));
        assertStock(lamp, 10, 0);
    }

    @Test
    void a_second_release_is_answered_and_releases_no_stock() {
        String lamp = productWithStock(10);
        service.handle(reserve(order, line(lamp, 6)));
        service.handle(release(order));

        service.handle(release(order));

        assertThat(((StockReleased) lastTold()).getLines()).isEmpty();
        assertStock(lamp, 10, 0);
    }

    @Test
    void a_request_that_comes_after_its_release_is_rejected() {
        String lamp = productWithStock(10);

        service.handle(release(order));
        service.handle(reserve(order, line(lamp, 6)));

        assertThat(service.toldOfOrder(order)).hasExactlyElementsOfTypes(StockReleased.class, StockRejected.class);
        assertThat(((StockRejected) lastTold()).getReason()).isEqualTo(StockRejection.ALREADY_RELEASED);
        assertStock(lamp, 10, 0);
    }

    @Test
    void a_quantity_of_zero_is_refused_and_leaves_nothing() {
        String lamp = productWithStock(10);

        assertThatThrownBy(() -> service.handle(reserve(order, line(lamp, 0)))).isInstanceOf(DataAccessException.class);

        assertThat(service.toldOfOrder(order)).isEmpty();
        assertStock(lamp, 10, 0);
    }

    @Test
    void orders_at_once_for_the_same_products_in_opposite_order_do_not_lock_each_other_out() throws Exception {
        String lamp = productWithStock(30);
        String chair = productWithStock(100);

        atOnce(IntStream.range(0, AT_ONCE)
                .mapToObj(n -> n % 2 == 0
                        ? reserve(order + n, line(lamp, 1), line(chair, 1))
                        : reserve(order + n, line(chair, 1), line(lamp, 1)))
                .toList());

        assertStock(lamp, 0, 30);
        assertStock(chair, 70, 30);
        assertThat(answersToOrders())
                .filteredOn(StockReserved.class::isInstance)
                .hasSize(30);
        assertThat(answersToOrders())
                .filteredOn(StockRejected.class::isInstance)
                .hasSize(AT_ONCE - 30);
    }

    @Test
    void reserving_and_releasing_an_order_at_once_ends_with_all_items_in_stock() throws Exception {
        String lamp = productWithStock(30);

        atOnce(IntStream.range(0, AT_ONCE)
                .mapToObj(n -> n % 2 == 0 ? reserve(order, line(lamp, 1)) : release(order))
                .toList());

        assertThat(service.toldOfOrder(order))
                .extracting(Events::version)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, AT_ONCE).boxed().toList());
        assertStock(lamp, 30, 0);
    }

    @Test
    void no_sequence_of_requests_loses_or_creates_an_item() {
        Random random = new Random(SEED);
        List<String> shelf = Stream.of(20L, 50L, 5L).map(this::productWithStock).toList();

        for (int n = 0; n < RANDOM_REQUESTS; n++) {
            service.handle(randomRequest(random, shelf));

            assertThat(shelf)
                    .as("pieces of each product after request %d with seed %d", n, SEED)
                    .map(id -> products.find(id).orElseThrow())
                    .map(product -> product.stock() + product.reserved())
                    .containsExactly(20L, 50L, 5L);
        }
        assertThat(shelf)
                .allSatisfy(id ->
                        assertThat(products.find(id).orElseThrow().reserved()).isEqualTo(keptByReservations(id)));
    }

    @Test
    void events_come_from_the_queue_and_are_applied_once() throws Exception {
        String lamp = productWithStock(10);
        long before = service.consumer().duplicatesDropped();
        UUID event = UUID.randomUUID();

        service.deliver(event, reserve(order, line(lamp, 6)));
        service.deliver(event, reserve(order, line(lamp, 6)));
        service.deliver(UUID.randomUUID(), release(order));

        await().atMost(RunningProducts.SOON)
                .until(() -> service.toldOfOrder(order).size() == 2);
        assertThat(service.toldOfOrder(order)).hasExactlyElementsOfTypes(StockReserved.class, StockReleased.class);
        assertThat(service.consumer().duplicatesDropped()).isEqualTo(before + 1);
    }

    private SpecificRecord randomRequest(Random random, List<String> shelf) {
        String some = order + random.nextInt(60);
        if (random.nextInt(3) == 0) {
            return release(some);
        }
        return reserve(
                some,
                line(shelf.get(random.nextInt(3)), 1 + random.nextInt(4)),
                line(shelf.get(random.nextInt(3)), 1 + random.nextInt(4)));
    }

    /** Each in a thread of its own; they begin together. No failure is tolerated, though a consumer would try again. */
    private static void atOnce(List<? extends SpecificRecord> requests) throws Exception {
        CyclicBarrier together = new CyclicBarrier(requests.size());
        ExecutorService threads = Executors.newFixedThreadPool(requests.size());
        try {
            List<Future<?>> running = new ArrayList<>();
            for (SpecificRecord request : requests) {
                running.add(threads.submit(() -> {
                    together.await();
                    service.handle(request);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    private String productWithStock(long stock) {
        return products.add(new Offer("Lamp", 1_990L, "EUR"), stock).productId();
    }

    private void assertStock(String productId, long stock, long reserved) {
        assertThat(products.find(productId).orElseThrow())
                .extracting(Product::stock, Product::reserved)
                .containsExactly(stock, reserved);
    }

    private List<SpecificRecord> answersToOrders() {
        return IntStream.range(0, AT_ONCE)
                .mapToObj(n -> service.toldOfOrder(order + n))
                .flatMap(List::stream)
                .toList();
    }

    private static long keptByReservations(String productId) {
        return service.admin().sql("""
                        SELECT coalesce(sum(quantity), 0)
                        FROM reservation_line JOIN reservation USING (order_id)
                        WHERE reservation_line.product_id = ? AND state = 'RESERVED'
                        """).param(productId).query(Long.class).single();
    }

    private SpecificRecord lastTold() {
        List<SpecificRecord> told = service.toldOfOrder(order);
        return told.get(told.size() - 1);
    }
}
