package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.PermissionDeniedDataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class MissingTableTest {

    private static final OutboxEvent EVENT = OutboxEvent.eventType("OrderPlaced")
            .aggregateType("Order")
            .aggregateId("4711")
            .payload(new byte[0], "text/plain");

    @Parameter
    DatabaseKind kind;

    private TestDatabase server;
    private HikariDataSource pool;
    private JdbcTransactionManager transactions;
    private TransactionTemplate transaction;

    @BeforeEach
    void create_an_empty_database() {
        server = kind.newDatabase();
        pool = ClientDatabase.pool(server, "");
        transactions = new JdbcTransactionManager(pool);
        transaction = new TransactionTemplate(transactions);
    }

    @AfterEach
    void drop_the_database() {
        pool.close();
        server.close();
    }

    @Test
    void a_missing_outbox_or_inbox_is_said_in_words_with_the_ways_to_install_it() {
        Outbox outbox = new Outbox(pool, transactions);
        Inbox inbox = new Inbox(pool, transactions);
        String address = server.jdbcUrl().replaceFirst("\\?.*", "");

        assertThatThrownBy(() -> transaction.execute(status -> outbox.publish(EVENT)))
                .isInstanceOf(MissingTableException.class)
                .hasMessageStartingWith("there is no outbox in the schema 'public' of " + address + "; install it")
                .hasMessageContaining("outbox.schema.install=true")
                .hasMessageContaining("OutboxSchema.install(dataSource)")
                .hasMessageContaining("migrate --url " + address + " --schema public --user OWNER");
        assertThatThrownBy(() -> inbox.once("billing", UUID.randomUUID(), () -> {}))
                .isInstanceOf(MissingTableException.class)
                .hasMessageStartingWith("there is no inbox in the schema 'public' of " + address);
        assertThatThrownBy(outbox::requireTable).isInstanceOf(MissingTableException.class);
        assertThatThrownBy(inbox::requireTable).isInstanceOf(MissingTableException.class);
        assertThatThrownBy(outbox::backlog).isInstanceOf(MissingTableException.class);

        Outbox elsewhere = new Outbox(pool, transactions, "no_schema");
        assertThatThrownBy(() -> transaction.execute(status -> elsewhere.publish(EVENT)))
                .isInstanceOf(MissingTableException.class)
                .hasMessageStartingWith("there is no outbox in the schema 'no_schema' of ")
                .hasMessageContaining("withSchema(\"no_schema\").installOn(dataSource)");
        assertThatThrownBy(elsewhere::requireTable).isInstanceOf(MissingTableException.class);
    }

    @Test
    void tables_that_are_there_are_found_and_their_backlog_is_counted() {
        OutboxSchema.install(server.dataSource());
        Outbox outbox = new Outbox(pool, transactions);

        assertThatCode(outbox::requireTable).doesNotThrowAnyException();
        assertThatCode(new Inbox(pool, transactions)::requireTable).doesNotThrowAnyException();
        assertThat(outbox.backlog()).isEqualTo(new Backlog(0, Duration.ZERO));

        transaction.execute(status -> outbox.publish(EVENT));
        new JdbcTemplate(pool)
                .update(
                        kind.isInnoDb()
                                ? "UPDATE outbox SET occurred_at = utc_timestamp(6) - INTERVAL 90 SECOND"
                                : "UPDATE outbox SET occurred_at = clock_timestamp() - interval '90 seconds'");

        assertThat(outbox.backlog().events()).isOne();
        assertThat(outbox.backlog().oldest()).isBetween(Duration.ofSeconds(90), Duration.ofMinutes(5));

        if (!kind.isInnoDb()) {
            // A service may write any time.
            new JdbcTemplate(pool).update("UPDATE outbox SET occurred_at = '-infinity'");
            assertThat(outbox.backlog()).isEqualTo(new Backlog(1, Duration.ZERO));
        }

        assertThatThrownBy(() -> new Inbox(pool, transactions).once("billing", UUID.randomUUID(), this::useNothing))
                .as("another table")
                .isNotInstanceOf(MissingTableException.class);
    }

    private void useNothing() {
        new JdbcTemplate(pool).execute("INSERT INTO nowhere VALUES (1)");
    }

    @Test
    void a_user_who_may_only_write_finds_the_outbox_and_cannot_count_it() {
        OutboxSchema.install(server.dataSource());
        try (HikariDataSource writer = ClientDatabase.pool(server, "outbox_writer")) {
            Outbox outbox = new Outbox(writer, new JdbcTransactionManager(writer));

            assertThatCode(outbox::requireTable).doesNotThrowAnyException();
            assertThatThrownBy(outbox::backlog)
                    .isInstanceOfAny(
                            InvalidDataAccessResourceUsageException.class, PermissionDeniedDataAccessException.class)
                    .isNotInstanceOf(MissingTableException.class);
        }
    }
}
