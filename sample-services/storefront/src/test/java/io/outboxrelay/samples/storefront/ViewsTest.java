package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.OrderRejection;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.storefront.OrderView.Step;
import io.outboxrelay.samples.storefront.RegionView.RecentOrder;
import io.outboxrelay.samples.storefront.RegionView.RegionCustomer;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.assertj.core.groups.Tuple;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

@Tag("server")
class ViewsTest {

    private static RunningStorefront storefront;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        storefront = RunningStorefront.start();
    }

    @AfterAll
    static void stop() throws IOException {
        storefront.close();
    }

    private final String customer = "customer-" + UUID.randomUUID();
    private final String order = UUID.randomUUID().toString();
    private final OrderView orders = storefront.bean(OrderView.class);
    private final CustomerView customers = storefront.bean(CustomerView.class);
    private final ProductView products = storefront.bean(ProductView.class);
    private final RegionView regions = storefront.bean(RegionView.class);

    @Test
    void an_order_that_goes_well_is_shown_step_by_step() throws IOException {
        storefront.publish(
                TestEvent.placed(order, 1, customer),
                TestEvent.stockRequested(order, 2),
                TestEvent.stockReserved(order, 3),
                TestEvent.creditRequested(order, 4, customer),
                TestEvent.creditReserved(customer, 5, order, 8_010),
                TestEvent.confirmed(order, 6, customer),
                TestEvent.paid(order, 7, customer));

        soon(() -> assertThat(orders.find(order)).hasValueSatisfying(shown -> {
            assertThat(shown.state()).isEqualTo("paid");
            assertThat(shown.customerId()).isEqualTo(customer);
            assertThat(shown.amountCents()).isEqualTo(TestEvent.LAMP_CENTS);
        }));
        assertThat(orders.linesOf(order)).containsExactly(new OrderView.Line("lamp", "Lamp", 1, TestEvent.LAMP_CENTS));
        assertThat(orders.stepsOf(order))
                .extracting(Step::service, Step::event)
                .containsExactly(
                        pair("orders", "OrderPlaced"),
                        pair("orders", "StockReservationRequested"),
                        pair("products", "StockReserved"),
                        pair("orders", "CreditReservationRequested"),
                        pair("customers", "CreditReserved"),
                        pair("orders", "OrderConfirmed"),
                        pair("orders", "OrderPaid"));
    }

    @Test
    void a_rejected_order_is_shown_with_the_reason_and_its_compensation() throws IOException {
        storefront.publish(
                TestEvent.placed(order, 1, customer),
                TestEvent.stockReserved(order, 2),
                TestEvent.creditRejected(customer, 3, order, CreditRejection.CREDIT_EXCEEDED),
                TestEvent.stockReleaseRequested(order, 4),
                TestEvent.stockReleased(order, 5),
                TestEvent.rejected(order, 6, customer, OrderRejection.CREDIT_EXCEEDED));

        soon(() -> assertThat(orders.find(order)).hasValueSatisfying(shown -> {
            assertThat(shown.state()).isEqualTo("rejected");
            assertThat(shown.reason()).isEqualTo("CREDIT_EXCEEDED");
        }));
        assertThat(orders.stepsOf(order))
                .extracting(Step::event, Step::detail)
                .contains(tuple("CreditRejected", "CREDIT_EXCEEDED"), tuple("StockReleased", null));
    }

    @Test
    void a_customer_is_shown_as_of_the_newest_event_with_the_name_of_the_country() throws IOException {
        storefront.publish(
                TestEvent.country("DE", 1, "Germany"),
                TestEvent.registered(customer, 1, "Anna", "NORTH", 10_000),
                TestEvent.changed(customer, 2, "Anna B.", "SOUTH"));

        soon(() -> assertThat(customers.all())
                .contains(new CustomerView.Customer(
                        customer, "Anna B.", "Anna B.@example.org", "SOUTH", "DE", "Germany")));
    }

    @Test
    void a_product_is_shown_at_its_newest_price_with_the_name_of_the_currency() throws IOException {
        String product = "product-" + UUID.randomUUID();
        storefront.publish(
                TestEvent.currency("EUR", 1, "Euro"),
                TestEvent.added(product, 1, "Chair", 8_900),
                TestEvent.repriced(product, 2, "Chair", 7_900));

        soon(() ->
                assertThat(products.all()).contains(new ProductView.Product(product, "Chair", 7_900, "EUR", "Euro")));
    }

    @Test
    void available_credit_follows_limit_reservations_and_releases() throws IOException {
        storefront.publish(TestEvent.registered(customer, 1, "Anna", "NORTH", 10_000));
        soon(() ->
                assertThat(customers.creditOf(customer)).contains(new CustomerView.Credit(customer, 10_000, 10_000)));

        storefront.publish(TestEvent.creditReserved(customer, 2, order, 8_010));
        soon(() -> assertThat(customers.creditOf(customer)).contains(new CustomerView.Credit(customer, 10_000, 8_010)));

        storefront.publish(
                TestEvent.creditReleased(customer, 3, order, 10_000),
                TestEvent.limitChanged(customer, 4, 20_000, 20_000));
        soon(() ->
                assertThat(customers.creditOf(customer)).contains(new CustomerView.Credit(customer, 20_000, 20_000)));
    }

    @Test
    void an_event_that_comes_late_does_not_bring_an_old_state_back() throws IOException {
        storefront.publish(
                TestEvent.registered(customer, 1, "Anna", "NORTH", 10_000),
                TestEvent.creditReserved(customer, 3, order, 6_020),
                TestEvent.creditReserved(customer, 2, order, 8_010),
                TestEvent.confirmed(order, 2, customer),
                TestEvent.placed(order, 1, customer));

        soon(() -> assertThat(orders.linesOf(order)).hasSize(1));
        assertThat(orders.find(order))
                .hasValueSatisfying(shown -> assertThat(shown.state()).isEqualTo("confirmed"));
        assertThat(customers.creditOf(customer)).contains(new CustomerView.Credit(customer, 10_000, 6_020));
    }

    @Test
    void an_event_that_is_delivered_twice_is_applied_once_and_counted() throws IOException {
        long before = storefront.consumer().duplicatesDropped();
        TestEvent placed = TestEvent.placed(order, 1, customer);
        storefront.publish(placed, placed);

        soon(() -> assertThat(storefront.consumer().duplicatesDropped()).isEqualTo(before + 1));
        assertThat(orders.stepsOf(order)).hasSize(1);
        assertThat(outOfOrder(order)).isEmpty();
    }

    @Test
    void customers_of_a_region_are_shown_with_their_newest_orders_first() throws IOException {
        String region = "region-" + UUID.randomUUID();
        String other = "customer-" + UUID.randomUUID();
        storefront.publish(
                TestEvent.registered(customer, 1, "Berta", region, 10_000),
                TestEvent.registered(other, 1, "Anna", region, 5_000));
        String newest = order;
        for (int n = 0; n <= RegionView.RECENT_ORDERS; n++) {
            newest = UUID.randomUUID().toString();
            storefront.publish(TestEvent.placed(newest, n + 1, customer));
        }
        String last = newest;

        soon(() -> assertThat(orders.find(last)).isPresent());
        List<RegionCustomer> shown = regions.customersOf(region);
        assertThat(shown).extracting(RegionCustomer::name).containsExactly("Anna", "Berta");
        assertThat(shown.get(0).recentOrders()).isEmpty();
        assertThat(shown.get(0).availableCents()).isEqualTo(5_000);
        assertThat(shown.get(1).recentOrders())
                .hasSize(RegionView.RECENT_ORDERS)
                .first()
                .extracting(RecentOrder::orderId)
                .isEqualTo(last);
    }

    @Test
    void an_event_of_a_type_without_a_contract_is_ignored() throws IOException {
        TestEvent placed = TestEvent.placed(order, 1, customer);
        ReceivedEvent known = placed.received();
        storefront.publish(new ReceivedEvent(
                UUID.randomUUID(),
                "OrderGiftWrapped",
                "order",
                order,
                new byte[] {1, 2, 3},
                known.contentType(),
                Map.of(),
                null,
                false));
        storefront.publish(placed);

        soon(() -> assertThat(orders.find(order)).isPresent());
        assertThat(orders.stepsOf(order)).hasSize(1);
        assertThat(storefront.consumer().deadLettered()).isZero();
    }

    @Test
    void a_version_that_is_not_the_next_of_its_aggregate_is_recorded() throws IOException {
        storefront.publish(TestEvent.placed(order, 1, customer), TestEvent.confirmed(order, 3, customer));

        soon(() -> assertThat(outOfOrder(order))
                .containsExactly(Map.of("aggregate_type", "order", "version_expected", 2, "version_received", 3)));
    }

    @Test
    void a_refusal_for_an_unknown_customer_is_a_step_without_a_version() throws IOException {
        TestEvent refused = TestEvent.creditRejected(customer, 0, order, CreditRejection.UNKNOWN_CUSTOMER);
        storefront.publish(refused);

        soon(() -> assertThat(orders.stepsOf(order)).extracting(Step::detail).containsExactly("UNKNOWN_CUSTOMER"));
        assertThat(outOfOrder(customer)).isEmpty();
        assertThat(customers.creditOf(customer)).isEmpty();
    }

    @Test
    void a_reservation_that_is_refused_is_a_step_of_the_order() throws IOException {
        storefront.publish(TestEvent.stockRejected(order, 1, StockRejection.OUT_OF_STOCK));

        soon(() -> assertThat(orders.stepsOf(order))
                .extracting(Step::service, Step::detail)
                .containsExactly(pair("products", "OUT_OF_STOCK")));
    }

    @Test
    void an_answer_has_its_age() throws Exception {
        Instant now = storefront
                .owner()
                .sql("SELECT now() - interval '1 hour'")
                .query((row, n) -> row.getTimestamp(1).toInstant())
                .single();
        storefront.publish(
                TestEvent.heartbeatOfCustomers(1, now.plusSeconds(1_800)),
                TestEvent.heartbeatOfProducts(1, now.plusSeconds(1_800)),
                TestEvent.heartbeatOfOrders(1, now));

        soon(() -> assertThat(ages().of(ViewAges.Of.REGIONS).asOf()).isEqualTo(now));
        assertThat(ages().of(ViewAges.Of.REGIONS).ageSeconds()).isBetween(3_600.0, 3_700.0);
        assertThat(storefront.get("/regions/NORTH/customers").body())
                .contains("\"as_of\":\"" + now + "\"", "\"age_seconds\":36");
        assertThat(storefront.get("/freshness").body()).contains("{\"view\":\"regions\",\"as_of\":\"" + now);
        assertThat(storefront.get("/actuator/prometheus").body())
                .containsPattern("shop_copy_age_seconds\\{.*source=\"orders\".*} 36");
    }

    @Test
    void a_subject_without_events_is_reported_as_a_problem() throws Exception {
        assertThat(storefront.get("/orders/" + order + "/timeline")).satisfies(answer -> {
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
            assertThat(answer.body()).contains("There is no event about the order " + order, "try again");
        });
        assertThat(storefront.get("/customers/nobody/available-credit").statusCode())
                .isEqualTo(404);
    }

    @Test
    void the_region_query_reads_by_indexes_in_the_order_of_the_answer() {
        JdbcClient owner = storefront.owner();
        owner.sql("""
                INSERT INTO customer_view
                SELECT 'c' || n, 1, 'Name ' || n, '', 'bulk-' || n % 20, NULL FROM generate_series(1, 20000) n
                """).update();
        owner.sql("INSERT INTO credit_view SELECT 'c' || n, 1, 0, 0 FROM generate_series(1, 20000) n")
                .update();
        owner.sql("""
                INSERT INTO order_view
                SELECT gen_random_uuid(), 1, 'paid', NULL, 'c' || n % 200, 1, 'EUR', now() - n * interval '1 s'
                FROM generate_series(1, 60000) n
                """).update();
        owner.sql("ANALYZE customer_view, order_view, credit_view").update();

        String plan = String.join(
                "\n",
                owner.sql("EXPLAIN " + RegionView.QUERY)
                        .param("region", "bulk-7")
                        .param("customers", RegionView.MOST_CUSTOMERS)
                        .param("orders", RegionView.RECENT_ORDERS)
                        .query(String.class)
                        .list());

        assertThat(plan)
                .contains("Index Scan using customer_view_by_region", "Index Scan using order_view_by_customer")
                .doesNotContain("Seq Scan");
    }

    @Test
    void the_service_can_neither_empty_its_views_nor_write_events() {
        JdbcClient asService = JdbcClient.create(storefront.database().asService());

        assertThatThrownBy(() -> asService.sql("DELETE FROM order_view").update())
                .isInstanceOf(DataAccessException.class)
                .rootCause()
                .hasMessageContaining("permission denied for table order_view");
        assertThatThrownBy(() -> asService
                        .sql("INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)"
                                + " VALUES ('order', '1', 'OrderPaid', '', '')")
                        .update())
                .isInstanceOf(DataAccessException.class)
                .rootCause()
                .hasMessageContaining("permission denied for table outbox");
    }

    @Test
    void the_api_is_described() throws Exception {
        assertThat(storefront.get("/v3/api-docs").body())
                .contains("\"title\":\"Storefront\"", "/regions/{region}/customers", "age_seconds");
    }

    private static ViewAges ages() {
        return storefront.bean(ViewAges.class);
    }

    private static List<Map<String, Object>> outOfOrder(String aggregateId) {
        return storefront.owner().sql("""
                        SELECT aggregate_type, version_expected, version_received FROM out_of_order
                        WHERE aggregate_id = ?
                        """).param(aggregateId).query().listOfRows();
    }

    private static Tuple pair(String service, String what) {
        return tuple(service, what);
    }

    private static void soon(ThrowingRunnable assertion) {
        await().atMost(RunningStorefront.SOON).untilAsserted(assertion);
    }
}
