package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.Database.StoredEvent;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** What a consumer's transactions make of events, with and without one of their aggregate that was given up. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class InboxFailuresTest {

    private static final RuntimeException CAUSE =
            new IllegalStateException("no\nprice", new Exception("of\u0000 item 7"));

    @Parameter
    DatabaseKind kind;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<ReceivedEvent> handled = new ArrayList<>();
    private ClientDatabase database;
    private HikariDataSource pool;
    private Inbox inbox;
    private InboxFailures failures;

    /** With the rights of a consumer alone. */
    @BeforeEach
    void open() {
        database = new ClientDatabase(kind.newDatabase());
        pool = ClientDatabase.pool(database.server, "outbox_consumer");
        inbox = new Inbox(pool, new JdbcTransactionManager(pool));
        failures = inbox.failures("billing");
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        pool.close();
        database.close();
    }

    @Test
    void new_events_are_handled_in_the_order_of_the_queue_and_known_ones_are_not() {
        ReceivedEvent one = event("1");
        ReceivedEvent two = event("2");
        ReceivedEvent three = event("1");

        assertThat(process(one, two)).containsExactly(Fate.HANDLED, Fate.HANDLED);
        assertThat(process(two, three, one, three))
                .containsExactly(Fate.DUPLICATE, Fate.HANDLED, Fate.DUPLICATE, Fate.DUPLICATE);

        assertThat(handled).containsExactly(one, two, three);
    }

    @Test
    void an_event_that_is_given_up_lets_no_later_one_of_its_aggregate_pass_and_all_others()
            throws Exception { // hazard 89
        ReceivedEvent first = event("1");
        ReceivedEvent second = event("1");
        ReceivedEvent other = event("2");
        failures.park(first, "billing.orders", 5, false, CAUSE);

        assertThat(process(first, second, other)).containsExactly(Fate.DUPLICATE, Fate.WAITING, Fate.HANDLED);
        failures.moveUp();
        Set<UUID> stored = Set.of(first.id(), second.id());

        assertThat(handled).containsExactly(other);
        assertThat(inbox.await("billing", other.id(), Duration.ZERO)).isTrue();
        assertThat(inbox.await("billing", stored, Duration.ZERO)).isFalse();
        assertThat(rows()).containsExactly(first.id() + " parked 5 failed", second.id() + " waiting 0 null");
        assertThat(failures.due(10)).isEmpty();
        assertThat(database.jdbc.queryForObject(
                        "SELECT detail FROM inbox_failure WHERE state = 'parked'", String.class))
                .isEqualTo("java.lang.IllegalStateException: no?price: of? item 7");
        assertThat(inbox.failures("shipping").due(10)).isEmpty();
    }

    @Test
    void a_retried_event_comes_as_it_was_and_those_behind_it_follow_one_after_the_other() throws Exception {
        ReceivedEvent first = event("1");
        ReceivedEvent second = event("1");
        ReceivedEvent third = event("1");
        failures.park(first, "billing.orders", 5, false, CAUSE);
        process(second, third);

        retry();
        handleDue();
        assertThat(failures.due(10)).as("nobody has moved the next one up").isEmpty();
        failures.moveUp(Set.of(new Aggregate("Order", "1")));
        handleDue();
        failures.moveUp();
        assertThat(inbox.await("billing", third.id(), Duration.ZERO)).isFalse();
        handleDue();

        assertThat(inbox.await("billing", third.id(), Duration.ZERO)).isTrue();
        assertThat(handled).extracting(ReceivedEvent::id).containsExactly(first.id(), second.id(), third.id());
        assertThat(handled.get(0))
                .usingRecursiveComparison()
                .ignoringFields("redelivered")
                .isEqualTo(first);
        assertThat(rows()).isEmpty();
        assertThat(process(first, second, third)).containsOnly(Fate.DUPLICATE);
        assertThat(process(event("1"))).containsExactly(Fate.HANDLED);
    }

    @Test
    void a_retried_event_that_fails_again_waits_or_is_parked() {
        ReceivedEvent first = event("1");
        failures.park(first, "billing.orders", 5, true, CAUSE);
        retry();
        StoredEvent stored = handleDue().orElseThrow();
        assertThat(failures.park(event("2"), "billing.orders", 5, false, CAUSE)).isEqualTo(Fate.PARKED);
        assertThat(failures.park(event("2"), "billing.orders", 5, false, CAUSE)).isEqualTo(Fate.WAITING);
        assertThat(failures.park(stored.event(), "billing.orders", 5, false, CAUSE))
                .as("handled by now")
                .isEqualTo(Fate.DUPLICATE);
        assertThat(rows()).as("what was handled is not stored again").hasSize(2);

        retry();
        long id = failures.due(10).get(0);
        failures.failed(new StoredEvent(id, first, 0), 1, Duration.ofHours(1), false, CAUSE);
        assertThat(failures.due(10)).isEmpty();
        assertThat(process(event("2"))).containsExactly(Fate.WAITING);
        retry();
        failures.failed(new StoredEvent(id, first, 1), 2, null, true, CAUSE);
        assertThat(failures.due(10)).isEmpty();
        assertThat(rows().get(0)).endsWith(" parked 2 rejected");
    }

    @Test
    void a_purge_forgets_no_event_that_is_stored_and_a_retried_one_is_known_afterwards() {
        ReceivedEvent parked = event("1");
        ReceivedEvent other = event("2");
        failures.park(parked, "billing.orders", 5, false, CAUSE);
        process(other);
        database.jdbc.update("UPDATE inbox SET processed_at = '2026-01-01 00:00:00'");

        assertThat(inbox.purge(Duration.ofDays(7))).isOne();
        assertThat(database.inboxIds()).containsExactly(parked.id());

        database.jdbc.update("DELETE FROM inbox");
        retry();
        handleDue();
        assertThat(process(parked)).containsExactly(Fate.DUPLICATE);
    }

    @Test
    void an_event_without_an_aggregate_blocks_no_other() {
        ReceivedEvent none = event("");
        failures.park(none, "billing.orders", 1, false, CAUSE);

        assertThat(process(none, event(""), event("1"))).containsExactly(Fate.DUPLICATE, Fate.HANDLED, Fate.HANDLED);
    }

    @Test
    void two_processes_with_the_same_events_have_one_effect_each_and_no_deadlock() throws Exception { // hazard 38
        List<ReceivedEvent> events =
                IntStream.range(0, 50).mapToObj(n -> event("" + n % 7)).toList();
        CountDownLatch both = new CountDownLatch(2);
        List<Future<List<Fate>>> results = new ArrayList<>();
        for (int process = 0; process < 2; process++) {
            results.add(threads.submit(() -> {
                both.countDown();
                both.await();
                return inbox.process("billing", taken(events), fresh -> {});
            }));
        }

        List<Fate> one = results.get(0).get(30, TimeUnit.SECONDS);
        List<Fate> two = results.get(1).get(30, TimeUnit.SECONDS);
        for (int i = 0; i < events.size(); i++) {
            assertThat(List.of(one.get(i), two.get(i))).containsExactlyInAnyOrder(Fate.HANDLED, Fate.DUPLICATE);
        }
    }

    /** The first process has handed the earlier event to the table while the second waited for what it had noted. */
    @Test
    void given_another_process_parks_the_earlier_event_meanwhile_then_the_later_one_waits()
            throws Exception { // hazard 89
        ReceivedEvent earlier = event("1");
        ReceivedEvent later = event("1");
        CountDownLatch noted = new CountDownLatch(1);
        Inbox whole = database.inbox();
        Future<Boolean> other = threads.submit(() -> database.transaction.execute(status -> {
            whole.once("billing", earlier.id(), () -> {});
            noted.countDown();
            awaitSomebodyWaits();
            database.jdbc.update(
                    "INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,"
                            + " headers, queue, state, reason) VALUES ('billing', "
                            + (kind.isInnoDb()
                                    ? "unhex(replace('" + earlier.id() + "', '-', ''))"
                                    : "'" + earlier.id() + "'")
                            + ", 'Order', '1', 'OrderPlaced', '', '{}', 'q', 'parked', 'failed')");
            return true;
        }));
        assertThat(noted.await(30, TimeUnit.SECONDS)).isTrue();

        assertThat(process(earlier, later)).containsExactly(Fate.DUPLICATE, Fate.WAITING);

        other.get(30, TimeUnit.SECONDS);
        assertThat(handled).isEmpty();
    }

    private void awaitSomebodyWaits() {
        String waiting = kind.isInnoDb()
                ? "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
                : "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND wait_event_type = 'Lock'";
        ConsumerHarness.await().until(() -> {
            Integer sessions = new org.springframework.jdbc.core.JdbcTemplate(database.server.dataSource())
                    .queryForObject(waiting, Integer.class);
            return sessions != null && sessions > 0;
        });
    }

    @Test
    void a_stored_event_is_handled_by_one_process_at_a_time() throws Exception {
        failures.park(event("1"), "billing.orders", 5, false, CAUSE);
        retry();
        List<StoredEvent> begun = failures.begin(1, 1, 5).events();
        CountDownLatch locked = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Future<List<StoredEvent>> other = threads.submit(() -> failures.process(begun, stored -> {
            locked.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        assertThat(locked.await(30, TimeUnit.SECONDS)).isTrue();

        assertThat(failures.process(begun, this::handle)).isEmpty();
        go.countDown();

        assertThat(other.get(30, TimeUnit.SECONDS)).isEqualTo(begun);
        assertThat(handled).isEmpty();
    }

    @Test
    void what_the_database_cannot_store_is_refused_as_a_whole() {
        ReceivedEvent unstorable = new ReceivedEvent(
                UUID.randomUUID(),
                "t".repeat(70_000),
                "Order",
                "\u0000" + "x".repeat(70_000),
                new byte[0],
                null,
                Map.of(),
                null,
                false);

        assertThatThrownBy(() -> failures.park(unstorable, "billing.orders", 5, false, CAUSE))
                .isInstanceOf(RuntimeException.class);
        assertThat(rows()).isEmpty();
        assertThat(database.inboxIds()).isEmpty();
    }

    @Test
    void an_event_that_the_database_cannot_store_behind_another_is_no_lost_connection() {
        failures.park(event("1"), "billing.orders", 5, false, CAUSE);
        ReceivedEvent unstorable = new ReceivedEvent(
                UUID.randomUUID(),
                kind.isInnoDb() ? "t".repeat(1_000) : "\u0000",
                "Order",
                "1",
                new byte[0],
                null,
                Map.of(),
                null,
                false);
        InboxEffects effects =
                new InboxEffects(inbox, "billing", handled::addAll, failure -> false, true, System::nanoTime);

        assertThat(fault(effects, new Taken(new SilentQueue(), 0, unstorable, false)))
                .isEqualTo(Fault.REFUSED);
        assertThat(fault(effects, new Taken(new SilentQueue(), 0, unstorable, true)))
                .as("one that is set aside")
                .isEqualTo(Fault.REFUSED);
        if (!kind.isInnoDb()) {
            assertThat(fault(effects, new Taken(new SilentQueue(), 0, event("\u0000"), false)))
                    .as("one that cannot be noted")
                    .isEqualTo(Fault.REFUSED);
        }
        assertThat(rows()).hasSize(1);
        assertThat(database.inboxIds()).hasSize(1);
    }

    private static Fault fault(InboxEffects effects, Taken taken) {
        return effects.handle(List.of(taken)).failure().orElseThrow().fault();
    }

    @Test
    void instances_that_are_alive_see_each_other_in_one_order_and_the_dead_are_forgotten() {
        failures.alive("one", Duration.ofHours(1));
        failures.alive("two", Duration.ofMillis(-1));
        List<String> third = failures.alive("three", Duration.ofHours(1));
        inbox.failures("shipping").alive("four", Duration.ofHours(1));

        assertThat(third).containsExactly("one", "three");
        assertThat(failures.alive("one", Duration.ofHours(1))).containsExactly("one", "three");
        failures.left("one");
        assertThat(failures.alive("three", Duration.ofHours(1))).containsExactly("three");
    }

    /** Each has said that it is alive in a transaction that is still open when it meets the other's row. */
    @Test
    void two_instances_that_come_back_together_do_not_wait_for_each_other() throws Exception {
        failures.alive("one", Duration.ofHours(1));
        failures.alive("two", Duration.ofHours(1));
        database.jdbc.update("UPDATE inbox_instance SET alive_until = '2026-01-01 00:00:00'");

        try (Connection two = database.pool.getConnection();
                Statement statement = two.createStatement()) {
            two.setAutoCommit(false);
            statement.executeUpdate(
                    "UPDATE inbox_instance SET alive_until = '2999-01-01 00:00:00' WHERE consumer = 'billing'"
                            + " AND instance = 'two'");
            Future<List<String>> one = threads.submit(() -> failures.alive("one", Duration.ofHours(1)));
            assertThat(one.get(30, TimeUnit.SECONDS)).containsExactly("one");
            two.commit();
        }

        assertThat(failures.alive("one", Duration.ofHours(1))).containsExactly("one", "two");
    }

    @Test
    void an_attempt_that_is_given_back_leaves_no_word_of_a_failure_and_one_that_is_gone_is_not_owed() {
        failures.wait(event("1"), "billing.orders");
        failures.moveUp();
        StoredEvent stored = failures.begin(1, 1, 5).events().get(0);
        assertThat(failed()).containsExactly("1 failed true true true");

        assertThat(failures.giveBack(List.of(stored.id(), stored.id() + 1))).isEmpty();

        assertThat(failed()).containsExactly("0 null false false false");
        assertThat(failures.due(1)).containsExactly(stored.id());
    }

    private List<String> failed() {
        return database.jdbc.query(
                "SELECT attempts, reason, detail, failed_at, first_failed_at FROM inbox_failure",
                (row, n) -> row.getInt("attempts") + " " + row.getString("reason") + " "
                        + (row.getString("detail") != null) + " " + (row.getObject("failed_at") != null) + " "
                        + (row.getObject("first_failed_at") != null));
    }

    private List<Fate> process(ReceivedEvent... events) {
        return inbox.process("billing", taken(List.of(events)), handled::addAll);
    }

    private static List<Taken> taken(List<ReceivedEvent> events) {
        SilentQueue origin = new SilentQueue();
        return events.stream().map(event -> new Taken(origin, 0, event, false)).toList();
    }

    /** As the command of a person does. */
    private void retry() {
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', attempts = 0, next_attempt_at = "
                + (kind.isInnoDb() ? "utc_timestamp(6)" : "clock_timestamp()") + " WHERE state <> 'waiting'");
    }

    private Optional<StoredEvent> handleDue() {
        List<StoredEvent> begun = failures.begin(1, 1, 5).events();
        return begun.isEmpty()
                ? Optional.empty()
                : failures.process(begun, this::handle).stream().findFirst();
    }

    private void handle(List<StoredEvent> stored) {
        stored.forEach(each -> handled.add(each.event()));
    }

    private List<String> rows() {
        return database.jdbc.query(
                "SELECT event_id, state, attempts, reason FROM inbox_failure ORDER BY id",
                (row, n) -> database.uuid(row, "event_id") + " " + row.getString("state") + " " + row.getInt("attempts")
                        + " " + row.getString("reason"));
    }

    private static ReceivedEvent event(String aggregateId) {
        return new ReceivedEvent(
                UUID.randomUUID(),
                "OrderPlaced",
                aggregateId.isEmpty() ? "" : "Order",
                aggregateId,
                new byte[] {1, 0, 2},
                "application/json",
                Map.of("tenant", "\"nörth\"", "traceparent", "00-1"),
                Instant.parse("2026-03-01T12:00:00Z"),
                false);
    }
}
