package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.Tries.Backoff;
import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.CannotCreateTransactionException;

/** What becomes of stored events that are retried, in a real database, whose time passes by statements. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class StoredRetriesTest {

    private static final int ATTEMPTS = 3;
    private static final int BATCH = 8;
    private static final int PREFETCH_BYTES = 1_000;
    private static final Duration CONTENTION_PATIENCE = Duration.ofMinutes(5);

    @Parameter
    DatabaseKind kind;

    private final ConsumerCounts counts = new ConsumerCounts();
    private final List<UUID> handled = new ArrayList<>();
    private BatchHandler handler = events -> events.forEach(event -> handled.add(event.id()));
    private ClientDatabase database;
    private HikariDataSource pool;
    private SwitchedDataSource source;
    private Inbox inbox;
    private InboxFailures failures;
    private StoredRetries retries;
    private byte[] payload = {1};
    private Map<Long, Tries> failing = Tries.memory();
    private OwedAttempts owed = new OwedAttempts();
    private long now = 1;

    /** With the rights of a consumer alone. */
    @BeforeEach
    void open() {
        database = new ClientDatabase(kind.newDatabase());
        pool = ClientDatabase.pool(database.server, "outbox_consumer");
        source = new SwitchedDataSource(pool);
        inbox = new Inbox(source, new JdbcTransactionManager(source));
        failures = inbox.failures("billing");
        retries = process();
    }

    @AfterEach
    void close() {
        pool.close();
        database.close();
    }

    @Test
    void contention_spends_no_attempt_for_as_long_as_that_of_a_delivered_event_and_then_each_time() // hazard 88
            throws Exception {
        store("1");
        handler = events -> {
            throw new CannotAcquireLockException("others are there");
        };

        turns(10);
        assertThat(rows()).containsExactly("retrying 0");
        assertThat(counts.contentions).hasValue(10);

        now += CONTENTION_PATIENCE.toNanos();
        turns(ATTEMPTS - 1);
        assertThat(rows()).containsExactly("retrying 2");
        turns(1);
        assertThat(rows()).containsExactly("parked 3");
        assertThat(counts.parked).hasValue(1);
    }

    @Test
    void an_outage_of_the_database_spends_no_attempt() { // hazard 40
        UUID event = store("1");
        AtomicInteger outages = new AtomicInteger(10);
        handler = events -> {
            if (outages.getAndDecrement() > 0) {
                source.away = true;
                throw new IllegalStateException("The server closed the connection unexpectedly");
            }
            handled.add(event);
        };

        for (int outage = 0; outage < 10; outage++) {
            assertThatThrownBy(() -> turns(1)).isInstanceOf(CannotCreateTransactionException.class);
            source.away = false;
        }
        turns(1);

        assertThat(handled).containsExactly(event);
        assertThat(counts.parked).hasValue(0);
    }

    /** A worker that has helped may have no time for it again. */
    @Test
    void an_attempt_that_an_outage_has_left_to_be_given_back_any_thread_of_the_process_gives_back() {
        UUID event = store("1");
        handler = events -> {
            source.away = true;
            throw new IllegalStateException("The server closed the connection unexpectedly");
        };
        StoredRetries helper = thread();
        assertThatThrownBy(() -> helper.turn(() -> false, more -> {}))
                .isInstanceOf(CannotCreateTransactionException.class);
        assertThat(rows()).containsExactly("retrying 1");
        source.away = false;
        handler = events -> {
            assertThat(rows()).as("with the attempt that is being made").containsExactly("retrying 1");
            thread().turn(() -> false, more -> {});
            assertThat(rows()).as("after the turn of a third thread").containsExactly("retrying 1");
            handled.add(event);
        };

        retries.turn(() -> false, more -> {});

        assertThat(handled).as("at once, for it is due again").containsExactly(event);
        assertThat(rows()).isEmpty();
    }

    /** As when its query kills the server. */
    @Test
    void an_event_that_takes_the_database_away_each_time_is_parked_in_the_end() { // hazard 87
        store("1");
        AtomicInteger outages = new AtomicInteger();
        handler = events -> {
            outages.incrementAndGet();
            source.away = true;
            throw new IllegalStateException("The server closed the connection unexpectedly");
        };

        while (counts.parked.get() == 0) {
            assertThat(outages.get()).isLessThanOrEqualTo(Tries.MAX_LOST_CONNECTIONS + ATTEMPTS + 1);
            try {
                turns(1);
            } catch (CannotCreateTransactionException e) {
                source.away = false;
            }
        }

        assertThat(outages).hasValueGreaterThan(Tries.MAX_LOST_CONNECTIONS);
        assertThat(rows()).containsExactly("parked " + (ATTEMPTS + 1));
    }

    @Test
    void an_event_that_is_interrupted_by_the_end_of_its_process_spends_no_attempt() {
        store("1");
        AtomicBoolean stopping = new AtomicBoolean();
        handler = events -> {
            stopping.set(true);
            throw new InterruptedException("close");
        };

        retries.turn(stopping::get, more -> {});

        assertThat(rows()).containsExactly("retrying 0");
        assertThat(failures.due(1)).as("at once, for another process").hasSize(1);
    }

    @Test
    void events_of_one_aggregate_are_handled_in_order_and_many_in_one_transaction() throws Exception {
        List<UUID> events = store("1", 30);

        turns(6);

        assertThat(handled).containsExactlyElementsOf(events);
        assertThat(counts.transactions).as("of 1, 2, 4, 8, 8 and 7 events").hasValue(6);
        assertThat(counts.handled).hasValue(30);
        assertThat(rows()).isEmpty();
        assertThat(inbox.await("billing", events, Duration.ZERO)).isTrue();
    }

    @Test
    void events_of_many_aggregates_share_a_transaction_too() {
        List<UUID> events = new ArrayList<>();
        for (int aggregate = 0; aggregate < 5; aggregate++) {
            events.addAll(store("" + aggregate, 2));
        }
        events.add(store(""));
        events.add(store(""));

        turns(4);

        assertThat(counts.transactions).as("of 1, 2, 4 and 5 events").hasValue(4);
        assertThat(handled).containsExactlyInAnyOrderElementsOf(events);
        for (int first = 0; first < 10; first += 2) {
            assertThat(handled).containsSubsequence(events.get(first), events.get(first + 1));
        }
    }

    @Test
    void a_poison_event_costs_its_neighbours_one_retry_and_stops_its_aggregate_alone() { // hazards 89, 91
        turnsUntilBatchesAreFull();
        List<UUID> one = store("1", 3);
        List<UUID> two = store("2", 3);
        UUID poison = one.get(1);
        List<UUID> tried = new ArrayList<>();
        handler = events -> {
            for (ReceivedEvent event : events) {
                tried.add(event.id());
                if (event.id().equals(poison)) {
                    throw new IllegalStateException("never");
                }
            }
        };

        retries.turn(() -> false, more -> {});

        assertThat(tried.subList(0, 2)).containsExactly(one.get(0), poison);
        assertThat(tried.subList(2, tried.size()))
                .containsExactly(one.get(0), poison, two.get(0), two.get(1), two.get(2));
        assertThat(rows()).containsExactly("retrying 1", "waiting 0");
        turns(ATTEMPTS);
        assertThat(rows()).containsExactly("parked 3", "waiting 0");
    }

    /** The first process does not come to writing anything about its attempt. */
    @Test
    void given_a_process_ends_with_a_batch_then_each_of_its_events_is_tried_alone() throws Exception { // hazard 87
        turnsUntilBatchesAreFull();
        List<UUID> events = store("1", 3);
        UUID deadly = events.get(1);
        handler = batch -> {
            handled.addAll(batch.stream().map(ReceivedEvent::id).toList());
            if (batch.stream().anyMatch(event -> event.id().equals(deadly))) {
                throw new OutOfMemoryError("on purpose");
            }
        };

        for (int end = 0; end <= ATTEMPTS; end++) {
            assertThatThrownBy(() -> turns(9)).isInstanceOf(OutOfMemoryError.class);
            retries = process();
        }
        turns(2);

        assertThat(rows()).containsExactly("parked 4", "waiting 1");
        assertThat(handled).startsWith(events.get(0), deadly, events.get(2), events.get(0), deadly, deadly);
        assertThat(inbox.await("billing", events.get(0), Duration.ZERO)).isTrue();
    }

    @Test
    void an_event_that_another_process_holds_stops_those_behind_it_and_no_other() throws Exception {
        turnsUntilBatchesAreFull();
        List<UUID> one = store("1", 3);
        UUID other = store("2");

        Long second =
                database.jdbc.queryForObject("SELECT min(id) FROM inbox_failure WHERE state = 'waiting'", Long.class);

        try (Connection person = database.pool.getConnection();
                Statement statement = person.createStatement()) {
            person.setAutoCommit(false);
            statement.executeQuery("SELECT id FROM inbox_failure WHERE id = " + second + " FOR UPDATE");
            retries.turn(() -> false, more -> {});
            person.rollback();
        }
        assertThat(handled).containsExactly(one.get(0), other);

        now += Duration.ofSeconds(5).toNanos();
        turns(1);
        assertThat(handled).containsExactly(one.get(0), other, one.get(1), one.get(2));
    }

    /** Their processes are frozen, or their handlers slow, so that they have become due again. */
    @ParameterizedTest
    @ValueSource(ints = {1, 150})
    void given_others_have_locked_the_events_that_are_due_longest_then_the_next_one_is_handled(int locked)
            throws Exception {
        for (int i = 0; i < locked; i++) {
            failures.park(event("locked " + i), "billing.orders", 1, false, new IllegalStateException("once"));
        }
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', attempts = 0,"
                + " next_attempt_at = '2026-01-01 00:00:00'");
        List<Long> ids = database.jdbc.queryForList("SELECT id FROM inbox_failure", Long.class);
        UUID other = store("1");

        try (Connection others = database.pool.getConnection();
                Statement statement = others.createStatement()) {
            others.setAutoCommit(false);
            for (long id : ids) {
                statement.executeQuery("SELECT id FROM inbox_failure WHERE id = " + id + " FOR UPDATE");
            }
            retries.turn(() -> false, more -> {});
            others.rollback();
        }

        assertThat(handled).containsExactly(other);
        assertThat(rows()).hasSize(locked).containsOnly("retrying 0");
    }

    @Test
    void a_batch_takes_no_more_bytes_than_may_be_in_hand() {
        turnsUntilBatchesAreFull();
        payload = new byte[PREFETCH_BYTES / 2];
        store("1", 4);

        turns(2);

        assertThat(handled).hasSize(4);
        assertThat(counts.transactions).hasValue(2);
    }

    /** Begins with batches of one event. */
    private void turnsUntilBatchesAreFull() {
        store("warm up", 15);
        turns(4);
        assertThat(rows()).isEmpty();
        handled.clear();
        counts.transactions.set(0);
    }

    /** Stores events of one aggregate as a consumer does, and retries the first as a person does. */
    private List<UUID> store(String aggregate, int number) {
        List<ReceivedEvent> events = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            events.add(event(aggregate));
        }
        failures.park(events.get(0), "billing.orders", 1, false, new IllegalStateException("once"));
        inbox.process("billing", taken(events), fresh -> {});
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', attempts = 0, next_attempt_at = failed_at"
                + " WHERE state = 'parked'");
        return events.stream().map(ReceivedEvent::id).toList();
    }

    private UUID store(String aggregate) {
        return store(aggregate, 1).get(0);
    }

    /** As the process of a consumer. */
    private StoredRetries process() {
        failing = Tries.memory();
        owed = new OwedAttempts();
        return thread();
    }

    /** Another thread of the same process. */
    private StoredRetries thread() {
        ConsumerSettings settings = new ConsumerSettings(
                "billing",
                "billing.orders",
                null,
                List.of(),
                1,
                BATCH,
                100,
                PREFETCH_BYTES,
                GiveUp.PARK,
                ATTEMPTS,
                new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10)),
                Duration.ofSeconds(1),
                CONTENTION_PATIENCE,
                Duration.ofSeconds(1));
        InboxEffects effects = new InboxEffects(
                inbox, "billing", events -> handler.handle(events), failure -> false, true, System::nanoTime);
        return new StoredRetries(effects, settings, counts, () -> now, failing, owed);
    }

    /** Turns before each of which every wait is over. */
    private void turns(int number) {
        for (int i = 0; i < number; i++) {
            database.jdbc.update(
                    "UPDATE inbox_failure SET next_attempt_at = '2026-01-01 00:00:00' WHERE state = 'retrying'");
            retries.turn(() -> false, more -> {});
        }
    }

    private List<String> rows() {
        return database.jdbc.query(
                "SELECT state, attempts FROM inbox_failure ORDER BY id",
                (row, n) -> row.getString("state") + " " + row.getInt("attempts"));
    }

    private static List<Taken> taken(List<ReceivedEvent> events) {
        Taken.Origin origin = new SilentQueue();
        return events.stream().map(event -> new Taken(origin, 0, event, false)).toList();
    }

    private ReceivedEvent event(String aggregate) {
        return new ReceivedEvent(
                UUID.randomUUID(),
                "OrderPlaced",
                aggregate.isEmpty() ? "" : "Order",
                aggregate,
                payload,
                null,
                Map.of(),
                null,
                false);
    }

    /** The inbox's database, which can be unavailable. */
    private static final class SwitchedDataSource extends DelegatingDataSource {

        private boolean away;

        SwitchedDataSource(HikariDataSource pool) {
            super(pool);
        }

        @Override
        public Connection getConnection() throws SQLException {
            if (away) {
                throw new SQLTransientConnectionException("The database is away");
            }
            return super.getConnection();
        }
    }
}
