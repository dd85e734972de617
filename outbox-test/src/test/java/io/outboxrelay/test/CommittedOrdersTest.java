package io.outboxrelay.test;

import static io.outboxrelay.test.OutboxAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Without a transaction of the test's own: what counts was committed, and what earlier tests left does not count. */
@SpringBootTest(classes = Shop.class)
@AutoConfigureOutboxTest
@Tag("server")
class CommittedOrdersTest {

    @Autowired
    private Orders orders;

    @Autowired
    private Outbox outbox;

    @Autowired
    private JdbcTemplate jdbc;

    @Autowired
    private PublishedEvents published;

    @Autowired
    private PlatformTransactionManager transactions;

    @DynamicPropertySource
    static void database(DynamicPropertyRegistry properties) {
        ShopDatabase.describe(properties);
    }

    @Test
    void what_was_committed_is_published() {
        orders.place(new OrderPlaced("1", "7", 1250));

        assertThat(published).hasTypes("OrderPlaced").hasOne("OrderPlaced").hasAggregateId("1");
    }

    @Test
    void what_was_rolled_back_is_not() {
        new TransactionTemplate(transactions).executeWithoutResult(status -> {
            orders.place(new OrderPlaced("2", "7", 1250));
            assertThat(published).hasTypes("OrderPlaced");
            status.setRollbackOnly();
        });

        assertThat(published).isEmpty();
    }

    @Test
    void a_table_that_was_emptied_hides_nothing() {
        orders.place(new OrderPlaced("5", "7", 1250));
        orders.place(new OrderPlaced("6", "7", 1250));
        published.forget();

        jdbc.execute("TRUNCATE outbox RESTART IDENTITY");
        orders.place(new OrderPlaced("7", "7", 1250));

        assertThat(published).hasOne("OrderPlaced").hasAggregateId("7");
    }

    @Test
    void a_failure_shows_what_differs() {
        orders.place(new OrderPlaced("3", "7", 1250));
        String event = "OrderPlaced of Order 3: {\"orderId\":\"3\",\"customer\":\"7\",\"total\":1250}";

        assertThatThrownBy(() -> assertThat(published).isEmpty())
                .hasMessage("Expected that no event is published, but there is:\n  " + event);
        assertThatThrownBy(() -> assertThat(published).hasTypes("OrderPlaced", "OrderPaid"))
                .hasMessage("Expected events of the types [OrderPlaced, OrderPaid], but there is:\n  " + event);
        assertThatThrownBy(() -> assertThat(published).hasNone("OrderPlaced"))
                .hasMessage("Expected no event of the type OrderPlaced, but there is:\n  " + event);
        assertThatThrownBy(() -> assertThat(published).hasOne("OrderPaid"))
                .hasMessage("Expected one event of the type OrderPaid, but there is:\n  " + event);
        PublishedEventAssert placed = assertThat(published).hasOne("OrderPlaced");
        assertThatThrownBy(() -> placed.hasAggregateId("4"))
                .hasMessage("Expected the aggregate id \"4\" of\n  " + event + "\nbut it is \"3\"");
        assertThatThrownBy(() -> placed.hasHeader("tenant", "south"))
                .hasMessage("Expected the header tenant \"south\" of\n  " + event + "\nbut it is \"north\"");
        assertThatThrownBy(() -> placed.hasJson("total", 1251))
                .hasMessage("Expected 1251 at \"total\" in the JSON of\n  " + event + "\nbut it has 1250");
        assertThatThrownBy(() -> placed.hasJson("lines.0", 1))
                .hasMessage("Expected 1 at \"lines.0\" in the JSON of\n  " + event + "\nbut it has nothing there");
        assertThatThrownBy(() -> placed.hasJson("{\"total\": 1}"))
                .hasMessageContaining("Expected the JSON")
                .hasMessageContaining("but OrderPlaced of Order 3 has");
        placed.hasJson("{\"total\": 1250.0, \"orderId\": \"3\", \"customer\": \"7\"}");
        placed.hasJson("total", 1250L);
    }

    @Test
    void a_payload_that_is_no_json_is_said_so() {
        new TransactionTemplate(transactions)
                .executeWithoutResult(status -> outbox.publish(OutboxEvent.eventType("OrderSent")
                        .aggregateType("Order")
                        .aggregateId("4")
                        .payload(new byte[] {1, 2}, "application/avro")));

        assertThat(published).hasOne("OrderSent").hasContentType("application/avro");
        assertThatThrownBy(() -> assertThat(published.list().get(0)).hasJson("a", 1))
                .hasMessageStartingWith(
                        "Expected JSON as the payload of\n  OrderSent of Order 4: 2 bytes of application/avro\nbut");
    }
}
