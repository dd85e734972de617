package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.samples.ServiceDatabase;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.schemas.encoding.EventDecoder;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

class OrdersTest {

    private static final String GOOD_CARD = "4000-0000-0000-0001";

    private static ServiceDatabase database;
    private static ConfigurableApplicationContext service;

    @BeforeAll
    static void start() {
        database = ServiceDatabase.empty("orders");
        service = new SpringApplicationBuilder(OrdersService.class)
                .properties("spring.config.name=orders")
                .run(database.arguments().toArray(String[]::new));
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    private final Orders orders = service.getBean(Orders.class);

    @Test
    void each_change_of_an_order_writes_one_event_in_the_order_of_the_changes() {
        Order order = orders.place("anna", "lamp", 1, 1_990);
        orders.pay(order.orderId(), GOOD_CARD);
        orders.ship(order.orderId());

        assertThat(eventsOf(order)).containsExactly("OrderPlaced", "OrderPaid", "OrderShipped");
        assertThat(historyOf(order)).containsExactly(1, 2, 3);
    }

    @Test
    void an_event_carries_the_version_of_its_order() {
        Order order = orders.place("anna", "lamp", 1, 1_990);
        orders.pay(order.orderId(), GOOD_CARD);

        byte[] payload = database.admin()
                .sql("SELECT payload FROM outbox WHERE aggregate_id = ? AND event_type = 'OrderPaid'")
                .param(order.orderId().toString())
                .query(byte[].class)
                .single();
        OrderPaid paid = EventDecoder.of(OrderPaid.class).decode(payload);
        assertThat(paid.getOrderVersion()).isEqualTo(2);
        assertThat(paid.getAmountCents()).isEqualTo(1_990);
    }

    @Test
    void a_declined_payment_leaves_no_event_and_an_unpaid_order() {
        Order order = orders.place("bert", "chair", 2, 3_980);

        assertThatThrownBy(() -> orders.pay(order.orderId(), Bank.EMPTY_CARD)).isInstanceOf(PaymentDeclined.class);

        assertThat(eventsOf(order)).containsExactly("OrderPlaced");
        assertThat(historyOf(order)).containsExactly(1);
        assertThat(orders.find(order.orderId())).contains(order);
    }

    @Test
    void an_order_that_is_not_paid_cannot_be_shipped() {
        Order order = orders.place("bert", "chair", 2, 3_980);

        assertThatThrownBy(() -> orders.ship(order.orderId()))
                .isInstanceOf(NoSuchOrder.class)
                .hasMessageContaining(order.orderId().toString());
        assertThat(eventsOf(order)).containsExactly("OrderPlaced");
    }

    @Test
    void the_service_may_write_into_the_outbox_but_not_read_it() {
        JdbcClient asService = JdbcClient.create(database.serviceDataSource());

        assertThatThrownBy(() ->
                        asService.sql("SELECT count(*) FROM outbox").query().singleRow())
                .isInstanceOf(DataAccessException.class)
                .rootCause()
                .hasMessageContaining("permission denied for table outbox");
    }

    private static List<String> eventsOf(Order order) {
        return database.admin()
                .sql(
                        "SELECT event_type FROM outbox WHERE aggregate_type = 'order' AND aggregate_id = ? ORDER BY position")
                .param(order.orderId().toString())
                .query(String.class)
                .list();
    }

    private static List<Integer> historyOf(Order order) {
        return database.admin()
                .sql("SELECT version FROM order_history WHERE order_id = ? ORDER BY version")
                .param(order.orderId())
                .query(Integer.class)
                .list();
    }
}
