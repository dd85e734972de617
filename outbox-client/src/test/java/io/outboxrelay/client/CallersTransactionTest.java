package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** All ways to call outbox and inbox in, beside and after a transaction, with and without auto-commit of the pool. */
@ParameterizedClass
@ValueSource(booleans = {true, false})
@Tag("server")
class CallersTransactionTest { // hazard 63, hazard 64

    private static TestDatabase orders;
    private static TestDatabase other;

    @Parameter
    boolean autoCommit;

    private final UUID id = UUID.randomUUID();
    private final List<Throwable> failedAfterCompletion = new ArrayList<>();

    @BeforeAll
    static void open() {
        orders = database();
        other = database();
    }

    @AfterAll
    static void close() {
        orders.close();
        other.close();
    }

    private static TestDatabase database() {
        TestDatabase database = DatabaseKind.POSTGRESQL.newDatabase();
        OutboxSchema.install(database.dataSource());
        new JdbcTemplate(database.sessions()).execute("CREATE TABLE business (step text)");
        return database;
    }

    @BeforeEach
    void empty() {
        new JdbcTemplate(orders.sessions()).execute("TRUNCATE outbox, inbox, business");
    }

    @AfterEach
    void nothing_failed_after_completion() {
        assertThat(failedAfterCompletion).isEmpty();
    }

    @Test
    void in_a_transaction_of_another_data_source_it_is_refused() {
        with((service, stranger) -> {
            stranger.run(() -> assertRefused(service::publish, "does not include this DataSource", "another"));
            stranger.run(() -> {
                service.work("binds a connection of its own to the thread");
                assertRefused(service::publish, "does not include this DataSource");
            });
        });
        assertThat(count("outbox")).isZero();
    }

    @Test
    void beside_a_transaction_of_another_data_source_the_caller_s_own_counts() {
        with((service, stranger) -> {
            service.run(() -> stranger.run(service::publish));
            stranger.run(() -> service.run(service::publish));
            assertThat(count("outbox")).isEqualTo(2);

            stranger.run(() -> {
                service.run(() -> service.work("committed"));
                assertRefused(service::publish, "does not include this DataSource");
            });
            stranger.run(() -> {
                service.run(service::publish);
                service.run(service::publish);
            });
            assertThat(count("outbox")).isEqualTo(4);
        });
    }

    @Test
    void after_the_commit_or_the_rollback_it_is_refused() {
        with((service, stranger) -> {
            service.run(() -> afterCommit(() -> assertCompleted(service::publish)));
            service.run(() -> afterCompletion(() -> assertCompleted(service::publish)));
            service.run(() -> {
                service.publish();
                afterCommit(() -> assertCompleted(service::publish));
                afterCompletion(() -> assertCompleted(service::publish));
            });
            assertThat(count("outbox")).isOne();
            service.rolledBack(() -> {
                service.publish();
                afterCompletion(() -> assertCompleted(service::publish));
            });
        });
        assertThat(count("outbox")).isOne();
    }

    @Test
    void after_a_commit_that_failed_it_is_refused() {
        new JdbcTemplate(orders.sessions()).execute("""
                CREATE TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)""");
        with((service, stranger) -> {
            assertThatThrownBy(() -> service.run(() -> {
                        service.publish();
                        service.jdbc.update("INSERT INTO late VALUES (1), (1)");
                        afterCompletion(() -> assertCompleted(service::publish));
                    }))
                    .isInstanceOf(org.springframework.dao.DuplicateKeyException.class);
            service.run(service::publish);
        });
        new JdbcTemplate(orders.sessions()).execute("DROP TABLE late");
        assertThat(count("outbox")).isOne();
    }

    // hazard 63
    @Test
    void after_a_callback_before_the_commit_has_thrown_it_is_refused() {
        with((service, stranger) -> assertThatThrownBy(() -> service.run(() -> {
                    service.work("rolled back");
                    synchronize(new TransactionSynchronization() {
                        @Override
                        public void beforeCommit(boolean readOnly) {
                            throw new IllegalArgumentException("not valid");
                        }
                    });
                    afterCompletion(() -> assertCompleted(service::publish));
                }))
                .isInstanceOf(IllegalArgumentException.class));
        assertThat(count("outbox")).isZero();
        assertThat(count("business")).isZero();
    }

    @Test
    void a_transaction_that_joins_one_that_has_completed_is_refused() {
        with((service, stranger) -> {
            service.run(() -> afterCommit(() -> service.run(() -> assertCompleted(service::publish))));
            service.run(() -> afterCompletion(() -> service.run(() -> assertCompleted(service::publish))));
            service.rolledBack(() -> afterCompletion(() -> service.run(() -> assertCompleted(service::publish))));
        });
        assertThat(count("outbox")).isZero();
    }

    @Test
    void a_new_transaction_after_the_commit_counts() {
        with((service, stranger) -> {
            service.run(() -> afterCommit(() -> service.requiresNew(service::publish)));
            service.run(() -> afterCompletion(() -> service.requiresNew(() -> {
                service.publish();
                afterCommit(() -> assertCompleted(service::publish));
            })));
            service.rolledBack(() -> afterCompletion(() -> service.requiresNew(service::publish)));
        });
        assertThat(count("outbox")).isEqualTo(3);
    }

    @Test
    void before_the_commit_it_is_written_and_before_a_rollback_rolled_back() {
        with((service, stranger) -> {
            service.run(() -> before(service::publish));
            assertThat(count("outbox")).isEqualTo(2);
            service.rolledBack(() -> before(service::publish));
        });
        assertThat(count("outbox")).isEqualTo(2);
    }

    @Test
    void while_the_transaction_is_suspended_it_is_refused() {
        with((service, stranger) -> service.run(() -> {
            service.propagation(TransactionDefinition.PROPAGATION_NOT_SUPPORTED)
                    .executeWithoutResult(status -> assertRefused(service::publish, "suspended"));
            service.propagation(TransactionDefinition.PROPAGATION_NOT_SUPPORTED).executeWithoutResult(status -> {
                service.work("binds a connection of its own to the thread");
                assertRefused(service::publish, "suspended");
            });
            service.publish();
        }));
        assertThat(count("outbox")).isOne();
    }

    @Test
    void a_new_transaction_commits_its_own_events_whatever_the_suspended_one_does() {
        with((service, stranger) -> service.rolledBack(() -> {
            service.publish();
            service.requiresNew(service::publish);
            service.publish();
        }));
        assertThat(count("outbox")).isOne();
    }

    @Test
    void a_nested_transaction_that_rolls_back_takes_its_own_events_with_it() {
        with((service, stranger) -> service.run(() -> {
            service.publish();
            service.propagation(TransactionDefinition.PROPAGATION_NESTED).executeWithoutResult(status -> {
                service.publish();
                status.setRollbackOnly();
            });
            service.propagation(TransactionDefinition.PROPAGATION_NESTED)
                    .executeWithoutResult(status -> service.publish());
            service.publish();
        }));
        assertThat(count("outbox")).isEqualTo(3);
    }

    @Test
    void without_a_transaction_or_in_an_empty_one_it_is_refused() {
        with((service, stranger) -> {
            assertRefused(service::publish, "the calling thread has none", "@Transactional", "reactive");
            service.propagation(TransactionDefinition.PROPAGATION_SUPPORTS).executeWithoutResult(status -> {
                service.work("binds a connection to the thread");
                assertRefused(service::publish, "the calling thread has none");
            });
        });
        assertThat(count("outbox")).isZero();
    }

    @Test
    void in_a_read_only_transaction_it_is_refused() {
        with((service, stranger) -> {
            TransactionTemplate readOnly = service.propagation(TransactionDefinition.PROPAGATION_REQUIRED);
            readOnly.setReadOnly(true);
            readOnly.executeWithoutResult(status -> assertRefused(service::publish, "read-only"));
            service.run(() -> readOnly.executeWithoutResult(status -> service.publish()));
        });
        assertThat(count("outbox")).isOne();
    }

    @Test
    void on_a_connection_that_was_put_into_auto_commit_it_is_refused() {
        with((service, stranger) -> service.run(() -> {
            service.autoCommit(true);
            assertRefused(service::publish, "auto-commit");
            service.autoCommit(false);
        }));
        assertThat(count("outbox")).isZero();
    }

    @Test
    void in_a_transaction_of_a_manager_that_was_never_given_to_it_it_is_refused() {
        with((service, stranger) -> {
            TransactionTemplate unknown = new TransactionTemplate(new JdbcTransactionManager(service.dataSource));
            unknown.executeWithoutResult(status -> assertRefused(service::publish, "transaction manager", "Outbox"));

            Outbox.watch(unknown.getTransactionManager());
            unknown.executeWithoutResult(status -> service.publish());
        });
        assertThat(count("outbox")).isOne();
    }

    @Test
    void a_manager_without_synchronization_is_enough() {
        with((service, stranger) -> {
            service.transactions.setTransactionSynchronization(JdbcTransactionManager.SYNCHRONIZATION_NEVER);
            service.run(service::publish);
            service.rolledBack(service::publish);
        });
        assertThat(count("outbox")).isOne();
    }

    @Test
    void the_data_source_is_recognised_behind_the_proxies_of_spring() {
        try (HikariDataSource pool = pool(orders)) {
            for (DataSource ofTransactions :
                    new DataSource[] {pool, new LazyConnectionDataSourceProxy(pool), lazyOver(routed(pool))}) {
                for (DataSource ofOutbox : new DataSource[] {
                    ofTransactions,
                    new TransactionAwareDataSourceProxy(ofTransactions),
                    new LazyConnectionDataSourceProxy(ofTransactions)
                }) {
                    empty();
                    Service service = new Service(ofTransactions, ofOutbox);

                    service.run(() -> {
                        service.publish();
                        service.run(service::publish);
                        afterCommit(() -> assertCompleted(service::publish));
                        afterCompletion(() -> service.run(() -> assertCompleted(service::publish)));
                    });
                    service.rolledBack(service::publish);

                    assertThat(count("outbox")).isEqualTo(2);
                    assertThat(pool.getHikariPoolMXBean().getActiveConnections())
                            .isZero();
                }
            }
        }
    }

    @Test
    void below_a_proxy_the_transaction_of_the_proxy_is_found() {
        try (HikariDataSource pool = pool(orders)) {
            Service service = new Service(new LazyConnectionDataSourceProxy(pool), pool);
            service.run(() -> {
                new JdbcTemplate(pool).queryForList("SELECT 1 -- binds a second connection to the thread");
                service.publish();
            });
            service.rolledBack(service::publish);
        }
        assertThat(count("outbox")).isOne();
    }

    @Test
    void one_target_of_a_routing_data_source_is_not_the_routing_data_source() {
        try (HikariDataSource pool = pool(orders)) {
            Service service = new Service(routed(pool), pool);
            service.run(() -> assertRefused(service::publish, "does not include this DataSource"));
        }
        assertThat(count("outbox")).isZero();
    }

    @Test
    void the_inbox_refuses_the_transaction_manager_of_another_data_source() { // hazard 64
        with((service, stranger) -> {
            Inbox wrong = new Inbox(service.dataSource, stranger.transactions);

            assertRefused(() -> wrong.once("billing", id, () -> service.work("effect")), "does not include");
            service.run(() ->
                    assertRefused(() -> wrong.once("billing", id, () -> service.work("effect")), "does not include"));
        });
        assertThat(count("inbox")).isZero();
        assertThat(count("business")).isZero();
    }

    @Test
    void the_inbox_refuses_a_transaction_that_has_completed_and_one_that_is_read_only() { // hazard 64
        with((service, stranger) -> {
            Runnable once = () -> service.inbox.once("billing", id, () -> service.work("effect"));
            TransactionTemplate readOnly = service.propagation(TransactionDefinition.PROPAGATION_REQUIRED);
            readOnly.setReadOnly(true);

            service.run(() -> afterCommit(() -> assertCompleted(once::run)));
            service.rolledBack(() -> afterCompletion(() -> assertCompleted(once::run)));
            readOnly.executeWithoutResult(status -> {
                assertRefused(once::run, "read-only");
                status.setRollbackOnly();
            });
            assertThat(count("business")).isZero();

            service.run(() -> afterCompletion(() -> service.requiresNew(once)));
        });
        assertThat(count("inbox")).isOne();
        assertThat(count("business")).isOne();
    }

    private void with(Scenario scenario) {
        try (HikariDataSource pool = pool(orders);
                HikariDataSource othersPool = pool(other)) {
            Service stranger = new Service(othersPool, othersPool);
            scenario.play(new Service(pool, pool), stranger);
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        }
        assertThat(TransactionSynchronizationManager.getResourceMap()).isEmpty();
    }

    private HikariDataSource pool(TestDatabase database) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(database.jdbcUrl());
        pool.setUsername(database.user());
        pool.setPassword(database.password());
        pool.setMaximumPoolSize(3);
        pool.setMinimumIdle(0);
        pool.setAutoCommit(autoCommit);
        return pool;
    }

    private static DataSource lazyOver(DataSource dataSource) {
        return new LazyConnectionDataSourceProxy(dataSource);
    }

    /** As an AbstractRoutingDataSource, which needs spring-context: its connections may lead anywhere. */
    private static DataSource routed(DataSource target) {
        return new AbstractDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                return target.getConnection();
            }

            @Override
            public Connection getConnection(String user, String password) throws SQLException {
                return target.getConnection(user, password);
            }
        };
    }

    private static int count(String table) {
        Integer rows =
                new JdbcTemplate(orders.sessions()).queryForObject("SELECT count(*) FROM " + table, Integer.class);
        return rows == null ? -1 : rows;
    }

    private static void assertCompleted(ThrowingCallable call) {
        assertRefused(call, "after the transaction has completed", "BEFORE_COMMIT");
    }

    private static void assertRefused(ThrowingCallable call, String... words) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("Nothing was written")
                .hasMessageContainingAll(words);
    }

    private static void afterCommit(Runnable action) {
        synchronize(new TransactionSynchronization() {
            @Override
            public void afterCommit() {
                action.run();
            }
        });
    }

    /** Spring would only log an exception there. */
    private void afterCompletion(Runnable action) {
        synchronize(new TransactionSynchronization() {
            @Override
            public void afterCompletion(int status) {
                try {
                    action.run();
                } catch (Throwable e) {
                    failedAfterCompletion.add(e);
                }
            }
        });
    }

    private static void before(Runnable action) {
        synchronize(new TransactionSynchronization() {
            @Override
            public void beforeCommit(boolean readOnly) {
                action.run();
            }

            @Override
            public void beforeCompletion() {
                action.run();
            }
        });
    }

    private static void synchronize(TransactionSynchronization synchronization) {
        TransactionSynchronizationManager.registerSynchronization(synchronization);
    }

    private interface Scenario {
        void play(Service service, Service stranger);
    }

    /** A service with a DataSource, its transaction manager, an outbox and an inbox. */
    private static final class Service {

        private final DataSource dataSource;
        private final JdbcTransactionManager transactions;
        private final JdbcTemplate jdbc;
        private final Outbox outbox;
        private final Inbox inbox;

        Service(DataSource dataSource, DataSource ofOutbox) {
            this.dataSource = dataSource;
            this.transactions = new JdbcTransactionManager(dataSource);
            this.jdbc = new JdbcTemplate(dataSource);
            this.outbox = new Outbox(ofOutbox, transactions);
            this.inbox = new Inbox(ofOutbox, transactions);
        }

        void publish() {
            outbox.publish(OutboxEvent.eventType("OrderPlaced")
                    .aggregateType("order")
                    .aggregateId("1")
                    .payload(new byte[0], "text/plain"));
        }

        void work(String step) {
            jdbc.update("INSERT INTO business VALUES (?)", step);
        }

        void autoCommit(boolean mode) {
            jdbc.execute((ConnectionCallback<Boolean>) connection -> {
                connection.setAutoCommit(mode);
                return true;
            });
        }

        void run(Runnable action) {
            propagation(TransactionDefinition.PROPAGATION_REQUIRED).executeWithoutResult(status -> action.run());
        }

        void requiresNew(Runnable action) {
            propagation(TransactionDefinition.PROPAGATION_REQUIRES_NEW).executeWithoutResult(status -> action.run());
        }

        void rolledBack(Runnable action) {
            new TransactionTemplate(transactions).executeWithoutResult(status -> {
                action.run();
                status.setRollbackOnly();
            });
        }

        TransactionTemplate propagation(int propagation) {
            TransactionTemplate template = new TransactionTemplate(transactions);
            template.setPropagationBehavior(propagation);
            return template;
        }
    }
}
