package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.Effects.Failure;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.Effects.Result;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.Tries.Backoff;
import io.outboxrelay.client.Worker.DatabaseAwayException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;

class WorkerTest {

    private static final int BATCH = 8;
    private static final int ATTEMPTS = 3;
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));
    private static final Duration LONGER_THAN_ANY_WAIT = Duration.ofMinutes(1);

    private final ScriptedEffects effects = new ScriptedEffects();
    private final ScriptedHost host = new ScriptedHost();
    private final ConsumerCounts counts = new ConsumerCounts();
    private Queue queue = new Queue();
    private Worker worker = worker(GiveUp.PARK);
    private long now = 1;

    @Test
    void a_batch_grows_while_transactions_are_short_and_shrinks_when_they_are_long() throws Exception {
        deliver(orders(100));

        steps(5);
        assertThat(effects.sizes()).containsExactly(1, 2, 4, 8, 8);

        effects.duration = Duration.ofMillis(300);
        steps(5);
        assertThat(effects.sizes().subList(5, 10)).containsExactly(8, 4, 2, 1, 1);
    }

    @Test
    void a_batch_of_medium_length_stays_as_it_is() throws Exception {
        deliver(orders(100));
        steps(3);

        effects.duration = Duration.ofMillis(150);
        steps(3);

        assertThat(effects.sizes()).containsExactly(1, 2, 4, 8, 8, 8);
    }

    @Test
    void a_poison_event_in_a_batch_costs_its_neighbours_one_retry() throws Exception { // hazard 91
        List<ReceivedEvent> before = orders(15);
        deliver(before);
        steps(4);
        List<ReceivedEvent> events = orders(8);
        ReceivedEvent poison = events.get(3);
        effects.fail(poison, Fault.HANDLER, 100);
        deliver(events);

        workUntilIdle();

        assertThat(queue.done).containsAll(ids(before)).containsAll(ids(events));
        assertThat(effects.parked).containsExactly(poison.id());
        assertThat(effects.tries(poison)).isEqualTo(1 + ATTEMPTS);
        assertThat(events)
                .filteredOn(event -> event != poison)
                .allSatisfy(neighbour -> assertThat(effects.tries(neighbour)).isEqualTo(2));
    }

    @Test
    void an_aggregate_whose_first_event_fails_waits_and_the_others_continue() throws Exception {
        ReceivedEvent first = event("1");
        ReceivedEvent second = event("1");
        ReceivedEvent other = event("2");
        effects.fail(first, Fault.HANDLER, 1);
        deliver(List.of(first, second, other));

        steps(3);
        assertThat(effects.handled).containsExactly(other.id());

        pass(LONGER_THAN_ANY_WAIT);
        steps(2);
        assertThat(effects.handled).containsExactly(other.id(), first.id(), second.id());
    }

    @Test
    void what_arrives_later_waits_behind_a_failed_event_of_its_aggregate_too() throws Exception {
        ReceivedEvent first = event("1");
        effects.fail(first, Fault.HANDLER, 1);
        deliver(List.of(first));
        steps(1);
        List<ReceivedEvent> later = List.of(event("1"), event("1"), event("1"));
        deliver(later);

        assertThat(worker.step()).as("whether there was something to do").isFalse();
        pass(LONGER_THAN_ANY_WAIT);
        workUntilIdle();

        assertThat(effects.handled)
                .containsExactly(
                        first.id(),
                        later.get(0).id(),
                        later.get(1).id(),
                        later.get(2).id());
    }

    @Test
    void nothing_waits_behind_an_event_without_an_aggregate() throws Exception {
        ReceivedEvent first = event("");
        ReceivedEvent second = event("");
        effects.fail(first, Fault.HANDLER, 1);
        deliver(List.of(first, second));

        steps(2);

        assertThat(effects.handled).containsExactly(second.id());
    }

    @Test
    void an_event_that_is_given_up_is_parked_and_acknowledged_and_the_next_of_its_aggregate_follows()
            throws Exception { // hazard 89
        ReceivedEvent poison = event("1");
        ReceivedEvent next = event("1");
        effects.fail(poison, Fault.HANDLER, 100);
        deliver(List.of(poison, next));

        workUntilIdle();

        assertThat(effects.parked).containsExactly(poison.id());
        assertThat(effects.log).containsSubsequence("park " + poison.id(), "handle " + next.id());
        assertThat(queue.done).containsExactly(poison.id(), next.id());
        assertThat(queue.rejected).isEmpty();
        assertThat(counts.parked).hasValue(1);
    }

    @Test
    void an_event_is_acknowledged_only_after_its_transaction() throws Exception {
        effects.beforeCommit = () -> assertThat(queue.done).isEmpty();
        deliver(List.of(event("1")));

        steps(1);

        assertThat(queue.done).hasSize(1);
    }

    @Test
    void where_events_are_dead_lettered_one_that_is_given_up_is_rejected_and_not_stored() throws Exception {
        worker = worker(GiveUp.DEAD_LETTER);
        ReceivedEvent rejected = event("1");
        ReceivedEvent next = event("1");
        effects.fail(rejected, Fault.REJECTED, 1);
        deliver(List.of(rejected, next));

        workUntilIdle();

        assertThat(queue.rejected).containsExactly(rejected.id());
        assertThat(queue.done).containsExactly(next.id());
        assertThat(effects.parked).isEmpty();
    }

    @Test
    void an_event_that_cannot_be_stored_is_dead_lettered_after_three_refusals() throws Exception {
        ReceivedEvent tooLarge = event("1");
        ReceivedEvent next = event("1");
        effects.fail(tooLarge, Fault.REJECTED, 100);
        effects.refuseToPark(new IllegalStateException("too large"), 100);
        deliver(List.of(tooLarge, next));

        workUntilIdle();

        assertThat(effects.log.stream().filter(("park " + tooLarge.id())::equals))
                .hasSize(3);
        assertThat(queue.rejected).containsExactly(tooLarge.id());
        assertThat(queue.done).containsExactly(next.id());
        assertThat(counts.deadLettered).hasValue(1);
    }

    @Test
    void an_event_that_cannot_be_stored_behind_an_earlier_one_is_dead_lettered_after_three_refusals_too()
            throws Exception {
        ReceivedEvent tooLarge = event("1");
        ReceivedEvent next = event("1");
        effects.fail(tooLarge, Fault.REFUSED, 100);
        deliver(List.of(tooLarge, next));

        try (LogLines log = LogLines.of(IdempotentConsumer.class)) {
            workUntilIdle();

            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("WARN The consumer billing can neither handle nor store ")
                    .contains(": it goes to the dead-letter exchange of the queue billing.orders");
        }
        assertThat(effects.tries(tooLarge)).isEqualTo(3);
        assertThat(effects.parked).isEmpty();
        assertThat(queue.rejected).containsExactly(tooLarge.id());
        assertThat(queue.done).containsExactly(next.id());
        assertThat(counts.deadLettered).hasValue(1);
    }

    @Test
    void an_event_that_meets_others_when_it_is_to_be_stored_is_neither_dead_lettered_nor_overtaken()
            throws Exception { // hazard 92
        ReceivedEvent poison = event("1");
        ReceivedEvent next = event("1");
        effects.fail(poison, Fault.REJECTED, 1);
        effects.refuseToPark(new CannotAcquireLockException("a frozen process has noted it"), 10);
        deliver(List.of(poison, next));

        workUntilIdle();

        assertThat(queue.rejected).isEmpty();
        assertThat(effects.parked).containsExactly(poison.id());
        assertThat(queue.done).containsExactly(poison.id(), next.id());
    }

    /** As behind a proxy that drops connections: the database answers each time that it is asked. */
    @Test
    void lost_sessions_are_no_refusals_to_store_an_event_unless_they_have_no_end() throws Exception {
        ReceivedEvent unlucky = event("1");
        ReceivedEvent deadly = event("2");
        RuntimeException lost = new CannotGetJdbcConnectionException("The connection was reset");
        effects.fail(unlucky, Fault.REJECTED, 1);
        effects.refuseToPark(lost, 10);
        deliver(List.of(unlucky));
        workUntilIdle();
        effects.fail(deadly, Fault.REJECTED, 1);
        effects.refuseToPark(lost, 100);
        deliver(List.of(deadly));
        workUntilIdle();

        assertThat(effects.parked).containsExactly(unlucky.id());
        assertThat(queue.rejected).containsExactly(deadly.id());
    }

    @Test
    void a_session_that_is_lost_when_an_event_is_to_be_stored_behind_an_earlier_one_is_no_refusal_either()
            throws Exception {
        ReceivedEvent unlucky = event("1");
        ReceivedEvent next = event("1");
        effects.fail(unlucky, Fault.REFUSED, 10);
        effects.failure = new NotStoredException(new SQLException("The connection was reset", "08006"));
        deliver(List.of(unlucky, next));

        workUntilIdle();

        assertThat(queue.rejected).isEmpty();
        assertThat(effects.handled).containsExactly(unlucky.id(), next.id());
    }

    @Test
    void refusals_to_store_an_event_are_as_far_apart_as_its_attempts() throws Exception {
        ReceivedEvent tooLarge = event("1");
        effects.fail(tooLarge, Fault.REFUSED, 100);
        deliver(List.of(tooLarge));

        for (int refusals = 1; refusals <= 2; refusals++) {
            steps(1);
            pass(BACKOFF.first().multipliedBy(refusals).dividedBy(2).minusNanos(1));
            steps(1);
            assertThat(effects.tries(tooLarge)).isEqualTo(refusals);
            pass(BACKOFF.first().multipliedBy(refusals));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Fate.class,
            names = {"DUPLICATE", "WAITING"})
    void an_event_that_another_process_has_taken_charge_of_meanwhile_is_not_reported_as_parked(Fate fate)
            throws Exception {
        ReceivedEvent event = event("1");
        effects.fail(event, Fault.REJECTED, 1);
        effects.insteadOfParked = fate;
        deliver(List.of(event));

        try (LogLines log = LogLines.of(IdempotentConsumer.class)) {
            workUntilIdle();

            assertThat(log.lines()).noneMatch(line -> line.startsWith("WARN"));
        }
        assertThat(queue.done).containsExactly(event.id());
        assertThat(counts.parked).hasValue(0);
        assertThat(counts.duplicates.get() + counts.waiting.get()).isOne();
    }

    @Test
    void exhausted_tries_survive_a_lost_connection() throws Exception { // hazard 87
        worker = worker(GiveUp.DEAD_LETTER);
        ReceivedEvent poison = event("1");
        effects.fail(poison, Fault.HANDLER, 100);
        deliver(List.of(poison));
        steps(1);
        for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
            reconnect();
            deliver(List.of(poison));
            steps(1);
        }

        assertThat(effects.tries(poison)).isEqualTo(ATTEMPTS);
        assertThat(queue.rejected).containsExactly(poison.id());
    }

    @Test
    void an_event_that_was_given_up_while_the_database_was_away_is_parked_when_it_comes_again_without_another_try()
            throws Exception {
        ReceivedEvent poison = event("1");
        effects.fail(poison, Fault.REJECTED, 100);
        effects.refuseToPark(new IllegalStateException("away"), 1);
        deliver(List.of(poison));
        host.awayAtQuestion = 2;

        assertThatThrownBy(() -> steps(1)).isInstanceOf(DatabaseAwayException.class);
        reconnect();
        deliver(List.of(poison));
        steps(1);

        assertThat(effects.tries(poison)).isEqualTo(1);
        assertThat(effects.parked).containsExactly(poison.id());
    }

    @Test
    void what_came_over_a_lost_connection_is_not_handled_and_its_copies_keep_their_order() throws Exception {
        ReceivedEvent first = event("1");
        ReceivedEvent second = event("1");
        effects.fail(first, Fault.HANDLER, 1);
        deliver(List.of(first, second));
        steps(1);
        reconnect();
        deliver(List.of(first, second));

        pass(LONGER_THAN_ANY_WAIT);
        workUntilIdle();

        assertThat(effects.handled).containsExactly(first.id(), second.id());
        assertThat(queue.done).containsExactly(first.id(), second.id());
    }

    @Test
    void forgets_what_comes_again_and_keeps_what_the_next_connection_has_brought() throws Exception {
        ReceivedEvent first = event("1");
        ReceivedEvent second = event("1");
        deliver(List.of(first, second));
        reconnect();
        deliver(List.of(first, second));

        worker.forget();
        workUntilIdle();

        assertThat(effects.handled).containsExactly(first.id(), second.id());
        assertThat(queue.done).containsExactly(first.id(), second.id());
    }

    private Worker worker(GiveUp giveUp) {
        ConsumerSettings settings = new ConsumerSettings(
                "billing",
                "billing.orders",
                null,
                List.of(),
                1,
                BATCH,
                100,
                1_000_000,
                giveUp,
                ATTEMPTS,
                BACKOFF,
                Duration.ofSeconds(1),
                Duration.ofMinutes(5),
                Duration.ofSeconds(1));
        return new Worker(effects, settings, counts, host, () -> now);
    }

    private void deliver(List<ReceivedEvent> events) {
        events.forEach(event -> worker.add(new Taken(queue, 0, event, false)));
    }

    /** The broker has closed the connection, and there is another. */
    private void reconnect() {
        queue.open = false;
        queue = new Queue();
    }

    private void steps(int number) throws DatabaseAwayException {
        for (int i = 0; i < number; i++) {
            worker.step();
        }
    }

    private void workUntilIdle() throws DatabaseAwayException {
        for (int i = 0; i < 100; i++) {
            while (worker.step()) {
                // until nothing is left to do now
            }
            pass(LONGER_THAN_ANY_WAIT);
        }
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private static List<ReceivedEvent> orders(int number) {
        List<ReceivedEvent> events = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            events.add(event("order " + i));
        }
        return events;
    }

    private static ReceivedEvent event(String aggregate) {
        return new ReceivedEvent(
                UUID.randomUUID(),
                "OrderPlaced",
                aggregate.isEmpty() ? "" : "order",
                aggregate,
                new byte[0],
                null,
                Map.of(),
                null,
                false);
    }

    private static List<UUID> ids(List<ReceivedEvent> events) {
        return events.stream().map(ReceivedEvent::id).toList();
    }

    private static final class ScriptedHost implements Worker.Host {

        private int questions;
        /** At which question the patience is over. */
        private int awayAtQuestion;

        @Override
        public boolean stopping() {
            return false;
        }

        @Override
        public boolean databaseWasAway() throws DatabaseAwayException {
            if (++questions == awayAtQuestion) {
                throw new DatabaseAwayException();
            }
            return false;
        }
    }

    /** A database in which all goes well but for what was said about an event. */
    private static final class ScriptedEffects implements Effects {

        private final Map<UUID, Fault> faults = new HashMap<>();
        private final Map<UUID, Integer> failuresLeft = new HashMap<>();
        private final List<List<UUID>> transactions = new ArrayList<>();
        private final List<UUID> handled = new ArrayList<>();
        private final List<UUID> parked = new ArrayList<>();
        private final List<String> log = new ArrayList<>();
        private RuntimeException failure = new IllegalStateException("failed");
        private Duration duration = Duration.ZERO;
        private Runnable beforeCommit = () -> {};
        private Fate insteadOfParked = Fate.PARKED;
        private @Nullable RuntimeException refusal;
        private int refusalsLeft;

        void fail(ReceivedEvent event, Fault fault, int times) {
            faults.put(event.id(), fault);
            failuresLeft.put(event.id(), times);
        }

        void refuseToPark(RuntimeException refusal, int times) {
            this.refusal = refusal;
            this.refusalsLeft = times;
        }

        List<Integer> sizes() {
            return transactions.stream().map(List::size).toList();
        }

        /** In how many transactions it was. */
        long tries(ReceivedEvent event) {
            return transactions.stream()
                    .filter(each -> each.contains(event.id()))
                    .count();
        }

        @Override
        public Result handle(List<Taken> taken) {
            List<UUID> ids = taken.stream().map(each -> each.event().id()).toList();
            transactions.add(ids);
            for (UUID id : ids) {
                if (failuresLeft.merge(id, -1, Integer::sum) >= 0) {
                    return new Result(List.of(), new Failure(faults.get(id), failure), duration.toNanos());
                }
            }
            beforeCommit.run();
            ids.forEach(id -> log.add("handle " + id));
            handled.addAll(ids);
            return new Result(Collections.nCopies(ids.size(), Fate.HANDLED), null, duration.toNanos());
        }

        @Override
        public Fate park(Taken taken, int attempts, boolean rejected, Throwable cause) {
            UUID id = taken.event().id();
            log.add("park " + id);
            if (refusal != null && --refusalsLeft >= 0) {
                throw refusal;
            }
            if (insteadOfParked == Fate.PARKED) {
                parked.add(id);
            }
            return insteadOfParked;
        }

        @Override
        public void probe() {
            // the database answers
        }
    }

    /** A subscription that remembers what it was told. */
    private static final class Queue implements Taken.Origin {

        private final List<UUID> done = new ArrayList<>();
        private final List<UUID> rejected = new ArrayList<>();
        private boolean open = true;

        @Override
        public String queue() {
            return "billing.orders";
        }

        @Override
        public boolean begin() {
            return open;
        }

        @Override
        public void end() {
            // nobody waits for it
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void done(Taken taken) {
            done.add(taken.event().id());
        }

        @Override
        public void reject(Taken taken) {
            rejected.add(taken.event().id());
        }
    }
}
