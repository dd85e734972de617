package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.OrderRejection;
import io.outboxrelay.samples.contracts.StockRejection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whichever way a history arrives, the views end the same. Events are handled as the consumer does it, without a
 * broker.
 */
@Tag("server")
class RebuildTest {

    private static final List<String> VIEWS = List.of(
            "customer_view",
            "credit_view",
            "product_view",
            "country_view",
            "currency_view",
            "order_view",
            "order_line_view",
            "saga_step",
            "freshness");

    private static RunningStorefront storefront;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        storefront = RunningStorefront.start();
    }

    @AfterAll
    static void stop() throws IOException {
        storefront.close();
    }

    private final List<TestEvent> history = history();

    @BeforeEach
    void begin_with_empty_views() throws IOException {
        empty();
    }

    @Test
    void in_order_every_version_is_the_next_one() {
        handle(history);

        assertThat(rows("out_of_order")).isEmpty();
        assertThat(rows("order_view")).hasSize(4);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void any_order_ends_in_the_same_state_as_the_right_one(long seed) throws IOException {
        handle(history);
        List<List<String>> expected = views();
        empty();

        List<TestEvent> shuffled = new ArrayList<>(history);
        Collections.shuffle(shuffled, new Random(seed));
        handle(shuffled);

        assertThat(views()).as("seed %d", seed).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void a_replay_among_live_events_builds_the_same_views_again(long seed) throws IOException {
        Random random = new Random(seed);
        handle(history);
        List<List<String>> expected = views();
        empty();
        int emptiedAt = random.nextInt(history.size());
        handle(history.subList(0, emptiedAt));

        empty();
        handle(interleaved(history.subList(0, emptiedAt), history.subList(emptiedAt, history.size()), random));

        assertThat(views()).as("seed %d, emptied after %d", seed, emptiedAt).isEqualTo(expected);
    }

    @Test
    void a_full_redelivery_changes_nothing_even_without_the_inbox() {
        handle(history);
        List<List<String>> expected = views();

        ViewUpdates handler = storefront.bean(ViewUpdates.class);
        history.forEach(told -> handler.handle(told.received()));

        assertThat(views()).isEqualTo(expected);
    }

    @Test
    void emptying_removes_all_rows_and_the_inbox_entries() throws IOException {
        handle(history);
        storefront.owner().sql("""
                        INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type,
                            payload, headers, queue, state, reason)
                        VALUES ('storefront', gen_random_uuid(), '', '', 'Unknown', '', '{}', 'nowhere', 'parked',
                            'failed')
                        """).update();

        empty();

        assertThat(views()).allSatisfy(rows -> assertThat(rows).isEmpty());
        assertThat(rows("heard")).isEmpty();
        assertThat(rows("inbox")).isEmpty();
        assertThat(rows("inbox_failure")).isEmpty();
        assertThat(rows("out_of_order")).isEmpty();
    }

    private static void handle(List<TestEvent> events) {
        Inbox inbox = storefront.bean(Inbox.class);
        ViewUpdates handler = storefront.bean(ViewUpdates.class);
        events.forEach(
                told -> inbox.once(StorefrontService.CONSUMER, told.id(), () -> handler.handle(told.received())));
    }

    private static void empty() throws IOException {
        storefront.owner().sql(Files.readString(Path.of("rebuild-views.sql"))).update();
    }

    private static List<List<String>> views() {
        return VIEWS.stream().map(RebuildTest::rows).toList();
    }

    private static List<String> rows(String table) {
        return storefront
                .owner()
                .sql("SELECT t::text FROM %s t ORDER BY 1".formatted(table))
                .query(String.class)
                .list();
    }

    /** Each list in its own order, taking turns by chance. */
    private static List<TestEvent> interleaved(List<TestEvent> replayed, List<TestEvent> live, Random random) {
        List<TestEvent> both = new ArrayList<>();
        int fromReplay = 0;
        int fromLive = 0;
        while (fromReplay < replayed.size() || fromLive < live.size()) {
            boolean takeReplay = fromLive == live.size() || fromReplay < replayed.size() && random.nextBoolean();
            both.add(takeReplay ? replayed.get(fromReplay++) : live.get(fromLive++));
        }
        return both;
    }

    /** Four orders of two customers: paid, cancelled, and rejected for want of stock and of credit. */
    private static List<TestEvent> history() {
        String paid = UUID.randomUUID().toString();
        String cancelled = UUID.randomUUID().toString();
        String outOfStock = UUID.randomUUID().toString();
        String exceeded = UUID.randomUUID().toString();
        return List.of(
                TestEvent.currency("EUR", 1, "Euro"),
                TestEvent.country("DE", 1, "Germany"),
                TestEvent.country("DE", 2, "Federal Republic of Germany"),
                TestEvent.registered("anna", 1, "Anna", "NORTH", 10_000),
                TestEvent.registered("bert", 1, "Bert", "NORTH", 10_000),
                TestEvent.added("lamp", 1, "Lamp", 2_100),
                TestEvent.repriced("lamp", 2, "Lamp", TestEvent.LAMP_CENTS),
                TestEvent.heartbeatOfCustomers(1, TestEvent.BEGINNING.plusSeconds(30)),
                TestEvent.placed(paid, 1, "anna"),
                TestEvent.stockRequested(paid, 2),
                TestEvent.stockReserved(paid, 1),
                TestEvent.creditRequested(paid, 3, "anna"),
                TestEvent.creditReserved("anna", 2, paid, 8_010),
                TestEvent.changed("anna", 3, "Anna B.", "SOUTH"),
                TestEvent.confirmed(paid, 4, "anna"),
                TestEvent.placed(cancelled, 1, "anna"),
                TestEvent.stockRequested(cancelled, 2),
                TestEvent.paid(paid, 5, "anna"),
                TestEvent.creditReleased("anna", 4, paid, 10_000),
                TestEvent.stockReserved(cancelled, 1),
                TestEvent.creditRequested(cancelled, 3, "anna"),
                TestEvent.creditReserved("anna", 5, cancelled, 8_010),
                TestEvent.confirmed(cancelled, 4, "anna"),
                TestEvent.creditReleaseRequested(cancelled, 5, "anna"),
                TestEvent.creditReleased("anna", 6, cancelled, 10_000),
                TestEvent.stockReleaseRequested(cancelled, 6),
                TestEvent.stockReleased(cancelled, 2),
                TestEvent.cancelled(cancelled, 7, "anna"),
                TestEvent.placed(outOfStock, 1, "bert"),
                TestEvent.stockRequested(outOfStock, 2),
                TestEvent.stockRejected(outOfStock, 1, StockRejection.OUT_OF_STOCK),
                TestEvent.rejected(outOfStock, 3, "bert", OrderRejection.OUT_OF_STOCK),
                TestEvent.heartbeatOfCustomers(2, TestEvent.BEGINNING.plusSeconds(31)),
                TestEvent.limitChanged("bert", 2, 1_000, 1_000),
                TestEvent.placed(exceeded, 1, "bert"),
                TestEvent.stockRequested(exceeded, 2),
                TestEvent.stockReserved(exceeded, 1),
                TestEvent.creditRequested(exceeded, 3, "bert"),
                TestEvent.creditRejected("bert", 3, exceeded, CreditRejection.CREDIT_EXCEEDED),
                TestEvent.stockReleaseRequested(exceeded, 4),
                TestEvent.stockReleased(exceeded, 2),
                TestEvent.rejected(exceeded, 5, "bert", OrderRejection.CREDIT_EXCEEDED),
                TestEvent.heartbeatOfOrders(1, TestEvent.BEGINNING.plusSeconds(32)));
    }
}
