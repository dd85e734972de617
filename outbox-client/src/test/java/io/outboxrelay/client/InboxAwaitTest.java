package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** Waiting until a consumer has committed the effect of an event. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class InboxAwaitTest {

    @Parameter
    DatabaseKind kind;

    private static final Duration LONG = Duration.ofSeconds(60);

    private final UUID event = UUID.randomUUID();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private ClientDatabase database;
    private Inbox inbox;

    @BeforeEach
    void open() {
        database = new ClientDatabase(kind.newDatabase());
        database.createEffects();
        inbox = database.inbox();
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        database.close();
    }

    @Test
    void an_effect_of_the_same_consumer_that_has_committed_is_found_at_once() throws Exception {
        process(event);

        assertThat(inbox.await("billing", event, LONG)).isTrue();
        assertThat(inbox.await("billing", event, Duration.ZERO)).isTrue();
        assertThat(inbox.await("billing", UUID.randomUUID(), Duration.ZERO)).isFalse();
        assertThat(inbox.await("shipping", event, Duration.ofMillis(20))).isFalse();
    }

    @Test
    void an_effect_counts_when_it_commits_and_not_before() throws Exception {
        Asked asked = new Asked(database.pool);
        Inbox waiting = new Inbox(asked, database.transactions);
        CountDownLatch isInside = new CountDownLatch(1);
        CountDownLatch mayCommit = new CountDownLatch(1);
        Future<Boolean> consumer = threads.submit(() -> inbox.once("billing", event, () -> {
            database.effect(event);
            isInside.countDown();
            await(mayCommit);
        }));
        isInside.await();
        Future<Boolean> waiter = threads.submit(() -> waiting.await("billing", event, LONG));
        asked.severalTimes.await();

        assertThat(waiter.isDone()).isFalse();
        mayCommit.countDown();

        assertThat(waiter.get()).isTrue();
        assertThat(consumer.get()).isTrue();
        assertThat(database.count("effect")).isOne();
    }

    @Test
    void an_effect_that_is_rolled_back_does_not_count() throws Exception {
        assertThatThrownBy(() -> inbox.once("billing", event, () -> {
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");

        assertThat(inbox.await("billing", event, Duration.ofMillis(20))).isFalse();
    }

    @Test
    void several_events_are_awaited_until_the_last_of_them() throws Exception {
        UUID another = UUID.randomUUID();
        List<UUID> both = List.of(event, another, event);
        process(event);

        assertThat(inbox.await("billing", both, Duration.ofMillis(20))).isFalse();
        process(another);
        assertThat(inbox.await("billing", both, LONG)).isTrue();
        assertThat(inbox.await("billing", List.of(), Duration.ZERO)).isTrue();
    }

    @Test
    void a_thousand_events_fit_into_one_statement_and_more_are_refused() throws Exception {
        List<UUID> thousand = new ArrayList<>(
                Stream.generate(UUID::randomUUID).limit(InboxWait.MOST_EVENTS).toList());
        database.transaction.executeWithoutResult(
                status -> thousand.forEach(id -> inbox.once("billing", id, () -> {})));

        assertThat(inbox.await("billing", thousand, Duration.ZERO)).isTrue();
        thousand.add(event);
        assertThatThrownBy(() -> inbox.await("billing", thousand, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("for 1000 events, not for 1001");
    }

    @Test
    void nobody_waits_inside_a_transaction_not_even_a_suspended_one() {
        TransactionTemplate named = new TransactionTemplate(database.transactions);
        named.setName("Checkout.place");
        TransactionTemplate suspending = new TransactionTemplate(database.transactions);
        suspending.setPropagationBehavior(TransactionDefinition.PROPAGATION_NOT_SUPPORTED);

        assertThatThrownBy(() -> named.execute(status -> await(LONG)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is in the transaction Checkout.place, which holds a connection")
                .hasMessageContaining("Wait after it has ended");
        assertThatThrownBy(() -> named.execute(status -> suspending.execute(none -> await(LONG))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Wait after it has ended");
        Boolean outside = suspending.execute(none -> await(Duration.ZERO));
        assertThat(outside).isFalse();
    }

    @Test
    void more_threads_can_wait_than_the_pool_has_connections() throws Exception {
        List<Future<Boolean>> waiters = new ArrayList<>();
        Asked asked = new Asked(database.pool);
        Inbox waiting = new Inbox(asked, database.transactions);
        for (int i = 0; i < 4 * database.pool.getMaximumPoolSize(); i++) {
            waiters.add(threads.submit(() -> waiting.await("billing", event, LONG)));
        }
        asked.severalTimes.await();

        process(event);

        for (Future<Boolean> waiter : waiters) {
            assertThat(waiter.get()).isTrue();
        }
    }

    @Test
    void an_interrupt_ends_the_wait() throws Exception {
        Asked asked = new Asked(database.pool);
        Inbox waiting = new Inbox(asked, database.transactions);
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread waiter = new Thread(() -> {
            try {
                waiting.await("billing", event, LONG);
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        waiter.start();
        asked.severalTimes.await();

        waiter.interrupt();

        interrupted.await();
        waiter.join();
        process(event);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> inbox.await("billing", event, LONG)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void each_question_sees_what_has_committed_also_on_a_connection_that_is_not_in_auto_commit_mode() throws Exception {
        try (Connection connection = database.pool.getConnection()) {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setAutoCommit(false);
            SingleConnectionDataSource single = new SingleConnectionDataSource(connection, true);
            Inbox one = new Inbox(single, new JdbcTransactionManager(single));
            assertThat(one.await("billing", event, Duration.ofMillis(20))).isFalse();
            process(event);

            assertThat(one.await("billing", event, Duration.ZERO)).isTrue();

            assertThat(connection.getAutoCommit()).isFalse();
        }
    }

    @Test
    void the_rights_of_a_consumer_are_enough() throws Exception {
        try (HikariDataSource pool = ClientDatabase.pool(database.server, "outbox_consumer")) {
            Inbox consumer = new Inbox(pool, new JdbcTransactionManager(pool));
            consumer.once("billing", event, () -> {});

            assertThat(consumer.await("billing", event, Duration.ZERO)).isTrue();
        }
    }

    @Test
    void where_there_is_no_inbox_it_says_how_to_install_one() {
        database.jdbc.execute("DROP TABLE inbox");

        assertThatThrownBy(() -> inbox.await("billing", event, LONG))
                .isInstanceOf(MissingTableException.class)
                .hasMessageContaining("there is no inbox");
    }

    private void process(UUID id) {
        assertThat(inbox.once("billing", id, () -> database.effect(id))).isTrue();
    }

    private boolean await(Duration timeout) {
        try {
            return inbox.await("billing", event, timeout);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Signals that the inbox has been asked three times and so will be asked again. */
    private static final class Asked extends DelegatingDataSource {

        private final CountDownLatch severalTimes = new CountDownLatch(3);

        private Asked(DataSource pool) {
            super(pool);
        }

        @Override
        public Connection getConnection() throws SQLException {
            severalTimes.countDown();
            return super.getConnection();
        }
    }
}
