package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.documents.Document.Snippet;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schema.OutboxSchemaCallback;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;

/** Runs what docs/installation.md and docs/transactions.md show: see {@link SnippetsTest}. */
@Tag("server")
@Tag("full")
class InstallationIT {

    /** Not the shared server: the roles belong to all of its databases. */
    @Test
    void the_tables_are_installed_the_rights_granted_and_events_written_and_handled() {
        try (PrivateServer<?> postgres = Servers.startPrivatePostgres();
                TestDatabase first = postgres.newDatabase();
                TestDatabase second = postgres.newDatabase()) {
            Flyway.configure()
                    .callbacks(new OutboxSchemaCallback())
                    .dataSource(first.dataSource())
                    .load()
                    .migrate();
            DataSource dataSource = second.dataSource();
            OutboxSchema.install(dataSource);
            JdbcClient database = JdbcClient.create(dataSource);
            database.sql("CREATE ROLE orders_service").update();

            sql("docs/installation.md")
                    .forEach(statement -> database.sql(statement).update());
            handle(dataSource, new JdbcTransactionManager(dataSource));
            publish(dataSource);

            assertThat(JdbcClient.create(first.dataSource())
                            .sql("SELECT count(*) FROM outbox")
                            .query(Long.class)
                            .single())
                    .isZero();
            assertThat(database.sql("SELECT event_type || ' ' || aggregate_id FROM outbox ORDER BY position")
                            .query(String.class)
                            .list())
                    .containsExactly("OrderPlaced 4711", "OrderPlaced 4712");
        }
    }

    private static List<String> sql(String page) {
        return Document.read(Document.ROOT.resolve(page)).snippets().stream()
                .filter(snippet -> snippet.language().equals("sql"))
                .map(Snippet::text)
                .flatMap(text -> List.of(text.split(";\\s*\\R")).stream())
                .filter(statement -> !statement.isBlank())
                .toList();
    }

    private static void handle(DataSource dataSource, PlatformTransactionManager transactionManager) {
        Outbox outbox = new Outbox(dataSource, transactionManager);
        Inbox inbox = new Inbox(dataSource, transactionManager);
        assertThat(outbox).isNotNull();
        List<String> invoices = new ArrayList<>();
        String order = "4711";
        UUID eventId = UUID.randomUUID();
        for (int delivery = 0; delivery < 2; delivery++) {
            inbox.once("billing", eventId, () -> invoices.add(order));
        }
        assertThat(invoices).containsExactly("4711");
    }

    private static void publish(DataSource dataSource) {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.registerBean(DataSource.class, () -> dataSource);
            context.register(Shop.class);
            context.refresh();
            context.getBean(OrderService.class).place(new Order("4712"));
        }
    }

    @EnableTransactionManagement
    static class Shop {

        @Bean
        PlatformTransactionManager transactions(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        Outbox outbox(DataSource dataSource, PlatformTransactionManager transactions) {
            return new Outbox(dataSource, transactions);
        }

        @Bean
        OrderService orderService(ApplicationEventPublisher applicationEvents, Outbox outbox) {
            return new OrderService(new Orders(), applicationEvents, outbox);
        }
    }

    record Order(String id) {}

    record OrderPlaced(String orderId) {}

    static class Orders {
        void save(Order order) {
            assertThat(order.id()).isNotEmpty();
        }
    }

    static class OrderService {

        private final Orders orders;
        private final ApplicationEventPublisher applicationEvents;
        private final Outbox outbox;

        OrderService(Orders orders, ApplicationEventPublisher applicationEvents, Outbox outbox) {
            this.orders = orders;
            this.applicationEvents = applicationEvents;
            this.outbox = outbox;
        }

        @Transactional
        public void place(Order order) {
            orders.save(order);
            applicationEvents.publishEvent(new OrderPlaced(order.id()));
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        void on(OrderPlaced event) {
            outbox.publish(OutboxEvent.eventType("OrderPlaced")
                    .aggregateType("Order")
                    .aggregateId(event.orderId())
                    .payload(payload(event), "application/avro"));
        }

        private static byte[] payload(OrderPlaced event) {
            return event.orderId().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        }
    }
}
