package io.outboxrelay.test;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

@Tag("server")
class WithoutSpringBootTest {

    @ParameterizedTest
    @MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
    void events_are_read_and_delivered_on_every_database(DatabaseKind kind) {
        try (TestDatabase database = kind.newDatabase()) {
            DataSource dataSource = database.dataSource();
            OutboxSchema.install(dataSource);
            JdbcTransactionManager transactions = new JdbcTransactionManager(dataSource);
            Outbox outbox = new Outbox(dataSource, transactions);
            List<UUID> handled = new ArrayList<>();
            IdempotentConsumer consumer = IdempotentConsumer.builder(
                            new ConnectionFactory(), new Inbox(dataSource, transactions))
                    .name("billing")
                    .queue("billing.orders")
                    .handler(event -> handled.add(event.id()))
                    .build();
            OutboxEvent event = OutboxEvent.eventType("OrderPlaced")
                    .aggregateType("Order")
                    .aggregateId("4711")
                    .payload(new byte[] {1}, "application/octet-stream")
                    .withHeader("tenant", "north");
            new TransactionTemplate(transactions).executeWithoutResult(status -> outbox.publish(event));

            PublishedEvents published = PublishedEvents.of(outbox); // what is written from now on
            EventDelivery delivery = new EventDelivery(List.of(consumer));
            UUID id = new TransactionTemplate(transactions).execute(status -> outbox.publish(event));

            OutboxAssertions.assertThat(published).hasOne("OrderPlaced").hasHeader("tenant", "north");
            assertThat(delivery.deliver(published, "billing")).isEqualTo(1);
            assertThat(handled).containsExactly(id);
        }
    }
}
