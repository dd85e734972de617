package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.relay.database.Consumers.AtConsumer;
import io.outboxrelay.relay.database.Consumers.Consumer;
import io.outboxrelay.relay.database.Consumers.Handling;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Received;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.testing.FailureRows;
import io.outboxrelay.relay.testing.InboxRows;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What commands ask and change about consumers, on every database. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class StoredConsumersTest {

    @Parameter
    DatabaseKind kind;

    private static final Note ANN = new Note("ann", "the customer is there");
    private static final Filter ALL = new Filter(List.of(), State.SHOWN, null, null, null, null, null);

    private static OutboxDatabase database;
    private static Consumers consumers;
    private static FailedEvents failures;

    private final InboxRows rows = new InboxRows(database);

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = OutboxDatabase.withLanes(kind, 1);
        consumers = database.consumers();
        failures = consumers.failedEvents();
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        database.close();
    }

    @BeforeEach
    void empty() {
        database.execute("TRUNCATE inbox, inbox_failure, inbox_instance, outbox_audit RESTART IDENTITY");
    }

    @Test
    void parked_events_are_listed_with_their_consumer_and_those_behind_them_counted() {
        UUID parked = rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("b", "retrying");
        rows.consumer("shipping").put("a", "waiting");

        Listing listing = failures.list(ALL.in(Set.of(State.PARKED)), 100);

        assertThat(listing.counts()).containsOnlyKeys(State.PARKED).containsEntry(State.PARKED, 1L);
        assertThat(listing.waitingBehind()).isEqualTo(1);
        assertThat(listing.failures()).singleElement().satisfies(failure -> {
            assertThat(failure.event()).isEqualTo(parked);
            assertThat(failure.place())
                    .isEqualTo(new Received("billing", "billing.orders", "Order", "a", "OrderPlaced"));
            assertThat(failure.attempts()).isEqualTo(3);
            assertThat(failure.behind()).isEqualTo(1);
            assertThat(failure.reason()).isEqualTo("failed");
            assertThat(failure.detail()).isEqualTo("no such customer");
            assertThat(failure.content().headerNames()).containsExactly("token");
            assertThat(failure.content().payloadBytes()).isEqualTo(FailureRows.SECRET.length());
            assertThat(failure.toString()).doesNotContain(FailureRows.SECRET);
        });
    }

    @Test
    void failures_are_counted_by_consumer_reason_and_type() {
        rows.put("a", "parked");
        rows.put("b", "retrying");
        rows.consumer("shipping").reason("rejected").eventType("OrderPaid").put("c", "parked");

        assertThat(failures.list(ALL, 0).groups())
                .containsExactly(
                        new Group("failed", "Order", "OrderPlaced", 2, "billing"),
                        new Group("rejected", "Order", "OrderPaid", 1, "shipping"));
    }

    @Test
    void a_parked_event_is_retried_in_its_place_with_its_attempts_anew() {
        UUID first = rows.put("a", "parked");
        UUID second = rows.put("a", "waiting");

        assertThat(retry(ALL)).isEqualTo(1);

        assertThat(rows.states("a")).containsExactly("retrying/0*", "waiting/0");
        assertThat(database.column("SELECT event_id FROM inbox_failure ORDER BY id"))
                .containsExactly(first.toString(), second.toString());
        assertThat(failures.find(first)).singleElement().satisfies(failure -> {
            assertThat(failure.before()).isZero();
            assertThat(failure.firstFailedAt()).isNotNull();
        });
    }

    @Test
    void a_retrying_event_is_tried_now_with_its_attempts_only_if_told() {
        rows.put("a", "retrying");
        rows.put("b", "parked");

        assertThat(retry(ALL)).isEqualTo(1);
        assertThat(rows.states("a")).containsExactly("retrying/3");
        assertThat(failures.retryNow(ALL, ANN, done -> {})).isEqualTo(2);

        assertThat(rows.states("a")).containsExactly("retrying/3*");
        assertThat(rows.states("b")).containsExactly("retrying/0*");
        assertThat(audit())
                .containsExactly(
                        "ann|inbox retry|parked|1|the customer is there",
                        "ann|inbox retry now|retrying or parked|2|the customer is there");
    }

    @Test
    void a_discarded_event_counts_as_processed_and_the_next_one_moves_up() {
        UUID first = rows.put("a", "parked");
        UUID second = rows.put("a", "waiting");
        rows.consumer("shipping").put(first, "a", "parked");

        assertThat(discard(of("billing", first))).isEqualTo(1);

        assertThat(rows.consumer("billing").states("a"))
                .as("the consumer takes the first of an aggregate if it waits")
                .containsExactly("waiting/0");
        assertThat(rows.consumer("shipping").states("a"))
                .as("another consumer's")
                .containsExactly("parked/3");
        assertThat(database.column("SELECT consumer || ' ' || count(*) FROM inbox GROUP BY consumer"))
                .containsExactly("billing 1");
        assertThat(database.column("SELECT event_id FROM inbox")).containsExactly(first.toString());
        assertThat(failures.find(second))
                .singleElement()
                .satisfies(failure -> assertThat(failure.before()).isZero());
        assertThat(audit())
                .containsExactly("ann|inbox discard|retrying or parked or paused, event " + first
                        + ", consumer billing: " + first + " of billing|1|the customer is there");
    }

    @Test
    void an_event_that_the_inbox_has_noted_already_is_discarded_all_the_same() {
        UUID event = rows.put("a", "parked");
        rows.processed(event);

        assertThat(discard(ALL)).isEqualTo(1);

        assertThat(database.number("SELECT count(*) FROM inbox")).isEqualTo(1);
        assertThat(database.number("SELECT count(*) FROM inbox_failure")).isZero();
    }

    @Test
    void events_that_wait_are_neither_discarded_nor_retried() {
        rows.put("a", "parked");
        UUID second = rows.put("a", "waiting");
        Filter waiting = new Filter(List.of(second), Set.of(State.values()), null, null, null, null, null);

        assertThat(discard(waiting)).isZero();
        assertThat(retry(waiting)).isZero();
        assertThat(rows.states("a")).containsExactly("parked/3", "waiting/0");
        assertThat(audit()).isEmpty();
    }

    @Test
    void an_event_without_an_aggregate_has_none_before_and_none_behind_it() {
        rows.aggregateType("").put("", "parked");
        UUID event = rows.put("", "parked");
        rows.put("", "parked");

        assertThat(failures.find(event)).singleElement().satisfies(failure -> {
            assertThat(failure.blocking()).isFalse();
            assertThat(failure.before()).isZero();
            assertThat(failure.behind()).isZero();
        });
        assertThat(failures.list(ALL, 10).waitingBehind()).isZero();
        assertThat(consumers.handling(event).consumers())
                .singleElement()
                .satisfies(one ->
                        assertThat(Objects.requireNonNull(one.first()).event()).isEqualTo(event));
    }

    @Test
    void a_filter_takes_what_fits_all_that_is_given() {
        rows.put("a", "parked");
        rows.aggregateType("Invoice").put("a", "parked");
        rows.aggregateType("Order").eventType("OrderPaid").put("b", "parked");
        rows.reason("rejected").put("c", "parked");
        rows.consumer("shipping").age(Duration.ofHours(2)).put("d", "parked");

        assertThat(failures.count(ALL)).isEqualTo(5);
        assertThat(count("billing", null, null, null, null, null)).isEqualTo(4);
        assertThat(count(null, "rejected", null, null, null, null)).isEqualTo(2);
        assertThat(count("billing", "rejected", null, null, null, null)).isEqualTo(1);
        assertThat(count(null, null, "OrderPlaced", null, null, null)).isEqualTo(2);
        assertThat(count(null, null, null, "Invoice", "a", null)).isEqualTo(1);
        assertThat(count(null, null, null, null, null, Duration.ofHours(1))).isEqualTo(1);
        assertThat(count("Billing", null, null, null, null, null))
                .as("compared exactly")
                .isZero();
    }

    @Test
    void of_two_people_who_retry_at_the_same_time_one_retries_each_event() throws Exception {
        parked(2_500);
        ExecutorService people = Executors.newFixedThreadPool(2);
        try (OutboxDatabase.Transaction consumer = database.begin()) {
            consumer.execute("SELECT id FROM inbox_failure WHERE id = 1 FOR UPDATE");
            CountDownLatch together = new CountDownLatch(2);
            List<Future<Long>> retried = new ArrayList<>();
            for (String name : List.of("ann", "bob")) {
                retried.add(people.submit(() -> {
                    together.countDown();
                    together.await();
                    return failures.retry(ALL, new Note(name, ""), done -> {});
                }));
            }
            // Both have chosen what to retry and wait for the same row.
            awaitWaiting(2);
            consumer.commit();

            assertThat(retried.get(0).get(1, TimeUnit.MINUTES) + retried.get(1).get(1, TimeUnit.MINUTES))
                    .isEqualTo(2_500);
        } finally {
            people.shutdownNow();
        }
        assertThat(database.number("SELECT sum(events) FROM outbox_audit")).isEqualTo(2_500);
        assertThat(database.number("SELECT count(*) FROM inbox_failure WHERE state = 'retrying' AND attempts = 0"))
                .isEqualTo(2_500);
    }

    @Test
    void many_are_changed_in_transactions_of_a_thousand_each_with_its_note() {
        parked(2_100);
        List<Long> progress = new ArrayList<>();

        assertThat(failures.discard(ALL, ANN, progress::add)).isEqualTo(2_100);

        assertThat(progress).containsExactly(1_000L, 2_000L, 2_100L);
        assertThat(database.column("SELECT events FROM outbox_audit ORDER BY id"))
                .containsExactly("1000", "1000", "100");
        assertThat(database.number("SELECT count(*) FROM inbox_failure")).isZero();
        assertThat(database.number("SELECT count(*) FROM inbox")).isEqualTo(2_100);
    }

    @Test
    void what_a_consumer_processes_while_a_command_waits_for_it_is_not_changed() throws Exception {
        UUID event = rows.put("a", "retrying");
        ExecutorService person = Executors.newSingleThreadExecutor();
        try (OutboxDatabase.Transaction consumer = database.begin()) {
            consumer.execute("SELECT id FROM inbox_failure FOR UPDATE");
            Future<Long> discarded = person.submit(() -> discard(ALL));
            awaitWaiting(1);
            consumer.execute("INSERT INTO inbox (consumer, event_id) SELECT consumer, event_id FROM inbox_failure");
            consumer.execute("DELETE FROM inbox_failure");
            consumer.commit();

            assertThat(discarded.get(1, TimeUnit.MINUTES)).isZero();
        } finally {
            person.shutdownNow();
        }
        assertThat(audit()).isEmpty();
        assertThat(consumers.handling(event).consumers())
                .singleElement()
                .satisfies(one -> assertThat(one.notedAt()).isNotNull());
    }

    @Test
    void nothing_is_discarded_if_it_cannot_be_noted_in_the_audit() throws Exception {
        rows.put("a", "parked");
        DataSource login = database.loginWithOnly("outbox_consumer");
        try {
            FailedEvents asConsumer = database.consumers(login).failedEvents();

            assertThatThrownBy(() -> asConsumer.discard(ALL, ANN, done -> {}))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("outbox_admin");
        } finally {
            database.dropLogin();
        }
        assertThat(rows.states("a")).containsExactly("parked/3");
        assertThat(database.number("SELECT count(*) FROM inbox")).isZero();
    }

    @Test
    void a_consumers_user_may_inspect_an_admin_may_change_and_the_relays_user_sees_nothing() throws Exception {
        UUID event = rows.put("a", "parked");
        DataSource login = database.loginWithOnly("outbox_consumer");
        try {
            Consumers asConsumer = database.consumers(login);
            asConsumer.requireVersion();
            assertThat(asConsumer.failedEvents().list(ALL, 10).failures()).hasSize(1);
            assertThat(asConsumer.handling(event).audit()).isNull();
            assertThat(asConsumer.overview()).hasSize(1);
            assertThatThrownBy(() -> asConsumer.failedEvents().retry(ALL, ANN, done -> {}))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("outbox_admin");

            database.giveLogin("outbox_relay", "outbox_consumer");
            assertThatThrownBy(() -> database.consumers(login).overview())
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("outbox_admin");

            database.giveLogin("outbox_admin", "outbox_relay");
            FailedEvents asAdmin = database.consumers(login).failedEvents();
            assertThat(asAdmin.retry(ALL, ANN, done -> {})).isEqualTo(1);
            assertThat(asAdmin.discard(ALL, ANN, done -> {})).isEqualTo(1);
        } finally {
            database.dropLogin();
        }
    }

    @Test
    void finds_what_each_consumer_has_done_with_an_event() {
        UUID event = rows.put("a", "waiting");
        UUID head = new InboxRows(database).consumer("shipping").put("a", "parked");
        new InboxRows(database).consumer("shipping").put(event, "a", "waiting");
        new InboxRows(database).consumer("crm").processed(event);
        new InboxRows(database).consumer("audit").processed(UUID.randomUUID());

        Handling handling = consumers.handling(event);

        assertThat(handling.consumers())
                .extracting(AtConsumer::consumer)
                .containsExactly("audit", "billing", "crm", "shipping");
        AtConsumer audit = handling.consumers().get(0);
        assertThat(audit.notedAt()).isNull();
        assertThat(audit.failure()).isNull();
        AtConsumer billing = handling.consumers().get(1);
        assertThat(Objects.requireNonNull(billing.first()).event()).isEqualTo(event);
        AtConsumer crm = handling.consumers().get(2);
        assertThat(crm.notedAt()).isBetween(handling.readAt().minusSeconds(600), handling.readAt());
        AtConsumer shipping = handling.consumers().get(3);
        Failure failure = Objects.requireNonNull(shipping.failure());
        assertThat(failure.state()).isEqualTo(State.WAITING);
        assertThat(failure.before()).isEqualTo(1);
        assertThat(Objects.requireNonNull(shipping.first()).event()).isEqualTo(head);
    }

    @Test
    void an_inbox_that_no_consumer_has_used_is_empty() {
        assertThat(consumers.overview()).isEmpty();
        assertThat(consumers.handling(UUID.randomUUID()).consumers()).isEmpty();
        assertThat(failures.list(ALL, 10).failures()).isEmpty();
    }

    @Test
    void the_overview_counts_what_each_consumer_has_done_given_up_and_its_live_instances() {
        rows.age(Duration.ofHours(3)).put("a", "parked");
        rows.put("a", "waiting");
        rows.put("a", "waiting");
        rows.put("b", "retrying");
        rows.processed(UUID.randomUUID());
        rows.processed(UUID.randomUUID());
        database.execute("UPDATE inbox SET processed_at = clock_timestamp() - interval '2 hours' WHERE event_id ="
                + " (SELECT e FROM (SELECT min(event_id::text) AS e FROM inbox) AS one)"
                        .replace(
                                "min(event_id::text)",
                                kind.isInnoDb() ? "min(event_id)" : "min(event_id::text)::uuid"));
        database.execute("""
            INSERT INTO inbox_instance (consumer, instance, alive_until)
            VALUES ('crm', 'crm-1', clock_timestamp() + interval '1 hour'),
                   ('crm', 'crm-0', clock_timestamp() + interval '1 hour'),
                   ('crm', 'crm-2', clock_timestamp() - interval '1 hour')
            """);

        List<Consumer> overview = consumers.overview();

        assertThat(overview).extracting(Consumer::name).containsExactly("billing", "crm");
        Consumer billing = overview.get(0);
        assertThat(billing.notedWithinAnHour()).isEqualTo(1);
        assertThat(billing.counted()).isTrue();
        assertThat(billing.failures()).isEqualTo(Map.of(State.PARKED, 1L, State.RETRYING, 1L, State.WAITING, 2L));
        assertThat(billing.oldestSeconds()).as("it occurred a day ago").isBetween(86_400.0, 90_000.0);
        assertThat(billing.instances()).isEmpty();
        assertThat(overview.get(1).instances()).containsExactly("crm-0", "crm-1");
        assertThat(overview.get(1).oldestSeconds()).isNull();
    }

    @Test
    void an_older_inbox_is_refused_with_the_command_that_upgrades_it() {
        DataSource connections = database.asTheRelay(Session.Use.COMMAND);
        String old = kind.isInnoDb() ? "old_" + database.database().name() : "old";
        database.execute("CREATE SCHEMA " + old);
        database.execute(
                kind.isInnoDb()
                        ? "CREATE VIEW " + old + ".outbox_schema_version AS SELECT 4 AS version"
                        : "CREATE FUNCTION old.outbox_schema_version() RETURNS int"
                                + " LANGUAGE sql IMMUTABLE AS 'SELECT 4'");

        consumers.requireVersion();
        assertThatThrownBy(
                        () -> database.dialect().consumers("none", connections).requireVersion())
                .hasMessage("There is no inbox in the schema none. Install it with the command migrate.");
        assertThatThrownBy(() -> database.dialect().consumers(old, connections).requireVersion())
                .hasMessage("The inbox has version 4, this command needs 5. Upgrade it with the command migrate.");
        database.execute("DROP SCHEMA " + old + (kind.isInnoDb() ? "" : " CASCADE"));
    }

    private void parked(int events) {
        database.execute("""
            INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, queue, state, reason, attempts)
            SELECT 'billing', gen_random_uuid(), 'Order', n::text, 'OrderPlaced', '', '', '{}', 'billing.orders',
                'parked', 'failed', 3 FROM generate_series(1, EVENTS) AS n
            """.replace("EVENTS", String.valueOf(events)));
    }

    private static long retry(Filter filter) {
        return failures.retry(filter, ANN, done -> {});
    }

    private static long discard(Filter filter) {
        return failures.discard(filter, ANN, done -> {});
    }

    private static Filter of(String consumer, UUID event) {
        return new Filter(List.of(event), State.SHOWN, null, null, null, null, null, consumer);
    }

    private static long count(
            @Nullable String consumer,
            @Nullable String reason,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable Duration olderThan) {
        return failures.count(
                new Filter(List.of(), State.SHOWN, reason, eventType, aggregateType, aggregateId, olderThan, consumer));
    }

    private static List<String> audit() {
        return database.column(
                "SELECT concat_ws('|', who, action, what, events, reason) FROM outbox_audit ORDER BY id");
    }

    private static void awaitWaiting(long sessions) {
        Awaitility.await().atMost(Duration.ofSeconds(8)).until(() -> database.waitingForLocks() >= sessions);
    }
}
