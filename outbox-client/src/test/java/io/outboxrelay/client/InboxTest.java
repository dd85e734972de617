package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.testservers.DatabaseKind;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.support.JdbcTransactionManager;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class InboxTest {

    @Parameter
    DatabaseKind kind;

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
    void an_events_effect_happens_once_for_each_consumer() {
        assertThat(inbox.once("billing", event, this::effect)).isTrue();
        assertThat(inbox.once("billing", event, this::effect)).isFalse();
        assertThat(inbox.once("shipping", event, this::effect)).isTrue();

        assertThat(database.count("effect")).isEqualTo(2);
        assertThat(database.count("inbox")).isEqualTo(2);
    }

    @Test
    void two_consumers_of_one_name_at_once_have_one_effect_and_one_clean_skip() throws Exception { // hazard 38
        CountDownLatch firstIsInside = new CountDownLatch(1);
        CountDownLatch firstMayCommit = new CountDownLatch(1);
        Future<Boolean> first = threads.submit(() -> inbox.once("billing", event, () -> {
            effect();
            firstIsInside.countDown();
            await(firstMayCommit);
        }));
        firstIsInside.await();
        Future<Boolean> second = threads.submit(() -> inbox.once("billing", event, this::effect));
        ConsumerHarness.await().until(this::aSessionWaitsForALock);

        firstMayCommit.countDown();

        assertThat(first.get()).isTrue();
        assertThat(second.get()).isFalse();
        assertThat(database.count("effect")).isOne();
    }

    @Test
    void if_the_first_of_two_rolls_back_the_second_has_the_effect() throws Exception {
        CountDownLatch firstIsInside = new CountDownLatch(1);
        CountDownLatch firstMayFail = new CountDownLatch(1);
        Future<Boolean> first = threads.submit(() -> inbox.once("billing", event, () -> {
            effect();
            firstIsInside.countDown();
            await(firstMayFail);
            throw new IllegalStateException("no");
        }));
        firstIsInside.await();
        Future<Boolean> second = threads.submit(() -> inbox.once("billing", event, this::effect));
        ConsumerHarness.await().until(this::aSessionWaitsForALock);

        firstMayFail.countDown();

        assertThatThrownBy(first::get).hasRootCauseMessage("no");
        assertThat(second.get()).isTrue();
        assertThat(database.count("effect")).isOne();
    }

    @Test
    void a_refusal_that_is_no_duplicate_is_an_error_and_not_a_skip() {
        String tooLong = "x".repeat(10_000);

        assertThatThrownBy(() -> inbox.once(kind.isInnoDb() ? tooLong : "a\u0000", event, this::effect))
                .isInstanceOf(DataAccessException.class);
        assertThat(database.count("effect")).isZero();
    }

    @Test
    void a_duplicate_inside_a_wider_transaction_does_not_abort_it() { // hazard 39
        inbox.once("billing", event, this::effect);

        database.transaction.executeWithoutResult(status -> {
            database.effect(UUID.randomUUID());
            assertThat(inbox.once("billing", event, this::effect)).isFalse();
            assertThat(inbox.once("billing", UUID.randomUUID(), this::effect)).isTrue();
            database.effect(UUID.randomUUID());
        });

        assertThat(database.count("effect")).isEqualTo(4);
        assertThat(database.count("inbox")).isEqualTo(2);
    }

    @Test
    void a_wider_transaction_that_rolls_back_takes_the_note_with_it() {
        database.transaction.executeWithoutResult(status -> {
            inbox.once("billing", event, this::effect);
            status.setRollbackOnly();
        });

        assertThat(database.count("inbox")).isZero();
        assertThat(database.count("effect")).isZero();
    }

    @Test
    void an_action_that_fails_leaves_nothing_behind_and_may_be_tried_again() { // hazard 41
        assertThatThrownBy(() -> inbox.once("billing", event, () -> {
                    effect();
                    throw new IllegalStateException("the handler failed");
                }))
                .hasMessage("the handler failed");

        assertThat(database.count("inbox")).isZero();
        assertThat(database.count("effect")).isZero();
        assertThat(inbox.once("billing", event, this::effect)).isTrue();
    }

    @Test
    void an_action_that_marks_the_transaction_for_rollback_leaves_no_note() { // hazard 41
        assertThatThrownBy(() -> inbox.once(
                        "billing",
                        event,
                        () -> database.transaction.executeWithoutResult(status -> {
                            effect();
                            status.setRollbackOnly();
                        })))
                .isInstanceOf(org.springframework.transaction.UnexpectedRollbackException.class);

        assertThat(database.count("inbox")).isZero();
        assertThat(database.count("effect")).isZero();
    }

    @Test
    void a_transaction_manager_of_another_data_source_is_an_error_and_runs_nothing() {
        try (ClientDatabase other = new ClientDatabase(kind.newDatabase())) {
            Inbox wrong = new Inbox(database.pool, other.transactions);

            assertThatThrownBy(() -> wrong.once("billing", event, this::effect))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("does not include this DataSource");
            assertThat(database.count("inbox")).isZero();
            assertThat(database.count("effect")).isZero();
        }
    }

    @Test
    void the_rights_of_a_consumer_are_enough() {
        try (HikariDataSource pool = ClientDatabase.pool(database.server, "outbox_consumer")) {
            Inbox consumer = new Inbox(pool, new JdbcTransactionManager(pool));

            assertThat(consumer.once("billing", event, () -> {})).isTrue();
            assertThat(consumer.once("billing", event, () -> {})).isFalse();
            assertThat(consumer.purge(Duration.ofDays(7))).isZero();
        }
    }

    @Test
    void purging_forgets_what_is_older_than_asked_in_batches_and_nothing_else() {
        processedAgo("6 days 23 hours", 5);
        processedAgo("8 days", 25);
        processedAgo("365 days", 10);

        assertThat(inbox.purge(Duration.ofDays(30), 4)).isEqualTo(10);
        assertThat(inbox.purge(Duration.ofDays(7), 10)).isEqualTo(25);
        assertThat(inbox.purge(Duration.ofDays(7))).isZero();
        assertThat(database.count("inbox")).isEqualTo(5);
    }

    @Test
    void an_age_below_the_floor_is_refused_with_both_values() {
        processedAgo("6 days", 1);

        assertThatThrownBy(() -> inbox.purge(Duration.ofDays(6)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("PT144H")
                .hasMessageContaining("PT168H");
        assertThatThrownBy(() -> inbox.withPurgeFloor(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThat(database.count("inbox")).isOne();
        assertThat(inbox.withPurgeFloor(Duration.ofDays(1)).purge(Duration.ofDays(1)))
                .isOne();
    }

    @Test
    void two_purges_and_consumers_at_once_do_not_deadlock() throws Exception { // hazard 32
        processedAgo("8 days", 5_000);

        Future<Integer> first = threads.submit(() -> inbox.purge(Duration.ofDays(7), 100));
        Future<Integer> second = threads.submit(() -> inbox.purge(Duration.ofDays(7), 100));
        for (int i = 0; i < 200; i++) {
            inbox.once("billing", UUID.randomUUID(), () -> {});
        }

        assertThat(first.get() + second.get()).isBetween(1, 5_000);
        inbox.purge(Duration.ofDays(7));
        assertThat(database.count("inbox")).isEqualTo(200);
    }

    private void effect() {
        database.effect(event);
    }

    private void processedAgo(String age, int events) {
        String sql = kind.isInnoDb() ? """
                INSERT INTO inbox (consumer, event_id, processed_at)
                WITH RECURSIVE digit (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM digit WHERE n < 99)
                SELECT 'billing', unhex(left(sha2(concat(?, low.n, '/', high.n), 256), 32)),
                       utc_timestamp(6) - INTERVAL ? HOUR
                FROM digit low CROSS JOIN digit high LIMIT ?""" : """
                INSERT INTO inbox SELECT 'billing', md5(concat(?, seq))::uuid, clock_timestamp() - ? * interval '1 hour'
                FROM generate_series(1, 10000) AS seq LIMIT ?""";
        database.jdbc.update(sql, age, hours(age), events);
    }

    /** Of such as "6 days 23 hours". */
    private static long hours(String age) {
        String[] words = age.split(" ");
        return Long.parseLong(words[0]) * 24 + (words.length > 2 ? Long.parseLong(words[2]) : 0);
    }

    private boolean aSessionWaitsForALock() {
        Integer waiting = database.jdbc.queryForObject(kind.isInnoDb() ? """
                SELECT count(*) FROM information_schema.innodb_trx t
                JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
                WHERE p.db = database() AND t.trx_state = 'LOCK WAIT'""" : """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'""", Integer.class);
        return waiting != null && waiting == 1;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }
}
