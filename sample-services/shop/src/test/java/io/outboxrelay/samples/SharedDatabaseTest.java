package io.outboxrelay.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.BadSqlGrammarException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/**
 * The anti-pattern: two services, one database. What the shop's services do to each other by events and by HTTP is done
 * here by reaching into the other's tables, and this is what breaks.
 */
@Tag("server")
class SharedDatabaseTest {

    private final TestDatabase shared = DatabaseKind.POSTGRESQL.newDatabase();
    private final JdbcClient customers = JdbcClient.create(shared.dataSource());
    private final JdbcClient storefront = JdbcClient.create(shared.dataSource());

    @BeforeEach
    void create() {
        customers.sql("""
                        CREATE TABLE customers (customer_id int PRIMARY KEY, name text NOT NULL,
                            credit_limit_cents bigint NOT NULL, reserved_cents bigint NOT NULL)
                        """).update();
        customers.sql("INSERT INTO customers VALUES (1, 'Anna', 1000, 900)").update();
    }

    @AfterEach
    void drop() {
        shared.close();
    }

    @Test
    void a_renamed_column_breaks_other_readers_of_the_table() {
        assertThat(nameForTheStorefront()).isEqualTo("Anna");

        // A change inside of the customers service, which its own tests pass.
        customers.sql("ALTER TABLE customers RENAME COLUMN name TO full_name").update();

        assertThatThrownBy(this::nameForTheStorefront).isInstanceOf(BadSqlGrammarException.class);
    }

    @Test
    void a_write_that_bypasses_the_owner_breaks_the_owner_s_rule() {
        // The customers service asks for limit and reservations under a lock before it reserves. The storefront does
        // not.
        storefront
                .sql("UPDATE customers SET reserved_cents = reserved_cents + 500 WHERE customer_id = 1")
                .update();

        assertThat(customers
                        .sql("SELECT reserved_cents > credit_limit_cents FROM customers WHERE customer_id = 1")
                        .query(Boolean.class)
                        .single())
                .isTrue();
    }

    @Test
    void a_report_of_one_service_and_a_migration_of_another_stop_a_third_one_s_writes() throws SQLException {
        try (Connection report = shared.dataSource().getConnection();
                Connection migration = shared.dataSource().getConnection();
                Connection writer = shared.dataSource().getConnection();
                Statement reading = report.createStatement();
                Statement altering = migration.createStatement()) {
            report.setAutoCommit(false);
            reading.execute("SELECT count(*) FROM customers");
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> execute(altering));
            await().until(() -> customers
                            .sql("SELECT count(*) FROM pg_locks WHERE relation = 'customers'::regclass AND NOT granted")
                            .query(Long.class)
                            .single()
                    == 1);

            JdbcClient writing = JdbcClient.create(new SingleConnectionDataSource(writer, true));
            writing.sql("SET lock_timeout = '100ms'").update();
            assertThatThrownBy(() -> writing.sql("UPDATE customers SET name = 'Anne' WHERE customer_id = 1")
                            .update())
                    .hasMessageContaining("lock timeout");

            report.rollback();
            waiting.join();
        }
    }

    private String nameForTheStorefront() {
        return storefront
                .sql("SELECT name FROM customers WHERE customer_id = 1")
                .query(String.class)
                .single();
    }

    private static void execute(Statement altering) {
        try {
            altering.execute("ALTER TABLE customers ADD COLUMN email text");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
