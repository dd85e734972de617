package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class OutboxTest {

    @Parameter
    DatabaseKind kind;

    private ClientDatabase database;
    private Outbox outbox;

    @BeforeEach
    void open() {
        database = new ClientDatabase(kind.newDatabase());
        outbox = database.outbox();
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void an_event_is_stored_with_everything_it_has() {
        byte[] payload = new byte[256];
        IntStream.range(0, 256).forEach(i -> payload[i] = (byte) i);
        OutboxEvent event = OutboxEvent.eventType("OrderPlaced")
                .aggregateType("order")
                .aggregateId("4711")
                .payload(payload, "application/octet-stream")
                .withHeader("tenant", "north");

        UUID id = database.transaction.execute(status -> outbox.publish(event));

        assertThat(ids()).containsExactly(id);
        Map<String, Object> row = database.jdbc.queryForMap("SELECT * FROM outbox");
        assertThat(row)
                .containsEntry("aggregate_type", "order")
                .containsEntry("aggregate_id", "4711")
                .containsEntry("event_type", "OrderPlaced")
                .containsEntry("content_type", "application/octet-stream")
                .hasEntrySatisfying(
                        "headers", headers -> assertThat(headers.toString()).matches("\\{\"tenant\": ?\"north\"}"));
        assertThat((byte[]) row.get("payload")).isEqualTo(payload);
        Instant occurredAt = kind.isInnoDb()
                ? database.jdbc
                        .queryForObject("SELECT occurred_at FROM outbox", LocalDateTime.class)
                        .toInstant(ZoneOffset.UTC)
                : ((java.sql.Timestamp) row.get("occurred_at")).toInstant();
        assertThat(occurredAt)
                .isBetween(
                        Instant.now().minus(Duration.ofMinutes(1)),
                        Instant.now().plus(Duration.ofMinutes(1)));
    }

    private List<UUID> ids() {
        return database.jdbc.query(
                "SELECT event_id FROM outbox ORDER BY position", (row, n) -> database.uuid(row, "event_id"));
    }

    @Test
    void texts_arrive_as_they_are_whatever_they_contain() {
        List<String> texts = List.of(
                "",
                " ",
                "\\",
                "\\x41",
                "'",
                "\"",
                "{a,b}",
                "NULL",
                "null",
                "$1",
                "\n\t\b",
                "é",
                "日本",
                "😀",
                "\u0001",
                "a\\\"b{},'",
                "\u2028");
        List<OutboxEvent> events = texts.stream()
                .map(text -> OutboxEvent.eventType("event" + text)
                        .aggregateType("type" + text)
                        .aggregateId(text)
                        .payload(text.getBytes(StandardCharsets.UTF_8), "c" + text)
                        .withHeader("header" + text, text))
                .toList();

        database.transaction.execute(status -> outbox.publish(events));

        List<OutboxEvent> stored = database.jdbc.query("SELECT * FROM outbox ORDER BY position", (rows, n) -> {
            try (JsonParser header = new JsonFactory().createParser(rows.getString("headers"))) {
                header.nextToken();
                return OutboxEvent.eventType(rows.getString("event_type"))
                        .aggregateType(rows.getString("aggregate_type"))
                        .aggregateId(rows.getString("aggregate_id"))
                        .payload(rows.getBytes("payload"), rows.getString("content_type"))
                        .withHeader(header.nextFieldName(), header.nextTextValue());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(stored).isEqualTo(events);
    }

    @Test
    void an_event_of_a_transaction_that_rolls_back_is_not_stored() {
        database.transaction.executeWithoutResult(status -> {
            outbox.publish(event("1"));
            status.setRollbackOnly();
        });

        assertThat(database.count("outbox")).isZero();
    }

    @Test
    void without_a_transaction_it_is_an_error_that_says_what_to_do() {
        assertThatThrownBy(() -> outbox.publish(event("1")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the calling thread has none")
                .hasMessageContaining("@Transactional");
        assertThatThrownBy(() -> outbox.publish(List.of())).isInstanceOf(IllegalStateException.class);
        assertThat(database.count("outbox")).isZero();
    }

    @Test
    void a_transaction_of_another_data_source_is_an_error_and_nothing_is_stored() {
        try (ClientDatabase other = new ClientDatabase(kind.newDatabase())) {
            assertThatThrownBy(() -> other.transaction.execute(status -> outbox.publish(event("1"))))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("does not include this DataSource");
            assertThat(database.count("outbox")).isZero();
        }
    }

    @Test
    void after_the_commit_it_is_an_error_except_in_a_new_transaction() { // hazard 63
        TransactionTemplate newTransaction = new TransactionTemplate(
                database.transactions,
                new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_REQUIRES_NEW));

        database.transaction.executeWithoutResult(status ->
                TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                    @Override
                    public void afterCommit() {
                        assertThatThrownBy(() -> database.transaction.execute(joined -> outbox.publish(event("1"))))
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContaining("after the transaction has completed");
                        newTransaction.execute(begun -> outbox.publish(event("2")));
                    }
                }));

        assertThat(database.jdbc.queryForList("SELECT aggregate_id FROM outbox", String.class))
                .containsExactly("2");
    }

    @Test
    void the_order_of_a_batch_is_the_order_of_its_positions() {
        List<OutboxEvent> events = IntStream.range(0, 20_000)
                .mapToObj(n -> event("a" + n * 31 % 97))
                .toList();

        List<UUID> ids = database.transaction.execute(status -> {
            List<UUID> published = new ArrayList<>(outbox.publish(events.subList(0, 3)));
            published.addAll(outbox.publish(events.subList(3, events.size())));
            return published;
        });

        assertThat(ids()).isEqualTo(ids).doesNotHaveDuplicates();
    }

    @Test
    void a_batch_is_one_statement_whatever_its_size_on_postgresql() {
        assumeTrue(kind == DatabaseKind.POSTGRESQL);
        database.jdbc.execute("""
                CREATE TABLE statements (n int);
                CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END';
                CREATE TRIGGER count_statement AFTER INSERT ON outbox FOR EACH STATEMENT
                EXECUTE FUNCTION count_statement()""");
        List<OutboxEvent> events =
                IntStream.range(0, 70_000).mapToObj(n -> event("a" + n)).toList();

        database.transaction.execute(status -> outbox.publish(events));

        assertThat(database.count("outbox")).isEqualTo(70_000);
        assertThat(database.count("statements")).isOne();
    }

    @Test
    void a_batch_larger_than_a_packet_of_mariadb_is_written_in_order() {
        List<OutboxEvent> events = IntStream.range(0, 12)
                .mapToObj(n -> OutboxEvent.eventType("OrderPlaced")
                        .aggregateType("order")
                        .aggregateId("a" + n)
                        .payload(new byte[3 << 20], "application/json"))
                .toList();

        List<UUID> ids = database.transaction.execute(status -> outbox.publish(events));

        assertThat(ids()).isEqualTo(ids);
    }

    @Test
    void an_empty_batch_does_nothing() {
        List<UUID> ids = database.transaction.execute(status -> outbox.publish(List.of()));

        assertThat(ids).isEmpty();
    }

    @Test
    void ids_are_uuids_of_version_7_that_grow_unless_they_are_given() {
        UUID given = UUID.randomUUID();
        List<UUID> ids = database.transaction.execute(
                status -> outbox.publish(List.of(event("1"), event("2").withId(given), event("3"))));

        assertThat(ids.get(1)).isEqualTo(given);
        assertThat(ids.get(0).version()).isEqualTo(7);
        assertThat(ids.get(0).toString()).isLessThan(ids.get(2).toString());
    }

    @Test
    void the_rights_of_a_writer_are_enough() {
        try (HikariDataSource writer = ClientDatabase.pool(database.server, "outbox_writer")) {
            JdbcTransactionManager transactions = new JdbcTransactionManager(writer);
            Outbox outboxOfWriter = new Outbox(writer, transactions);
            new TransactionTemplate(transactions)
                    .execute(status -> outboxOfWriter.publish(List.of(event("1"), event("2"))));
        }
        assertThat(database.count("outbox")).isEqualTo(2);
    }

    @Test
    void the_outbox_may_lie_in_another_schema() {
        TestDatabase other = kind.newDatabase();
        String schema = kind.isInnoDb() ? other.name() + "_shop" : "shop";
        try (ClientDatabase shop = new ClientDatabase(other, schema)) {
            Outbox outboxOfShop = new Outbox(shop.pool, shop.transactions, schema);
            shop.transaction.execute(status -> outboxOfShop.publish(event("1")));

            assertThat(shop.count(schema + ".outbox")).isOne();
            if (kind.isInnoDb()) {
                shop.jdbc.execute("DROP DATABASE " + schema);
            }
        }
        assertThatThrownBy(() -> new Outbox(database.pool, database.transactions, "shop; DROP TABLE outbox"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_refusal_of_the_database_is_a_spring_exception() {
        database.jdbc.execute("CREATE UNIQUE INDEX once ON outbox (event_id)");
        OutboxEvent event = event("1").withId(UUID.randomUUID());

        assertThatThrownBy(() -> database.transaction.execute(status -> outbox.publish(List.of(event, event))))
                .isInstanceOf(DuplicateKeyException.class);
        assertThat(database.count("outbox")).isZero();
    }

    private static OutboxEvent event(String aggregateId) {
        return OutboxEvent.eventType("OrderPlaced")
                .aggregateType("order")
                .aggregateId(aggregateId)
                .payload(new byte[] {1, 2, 3}, "application/json");
    }
}
