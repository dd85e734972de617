package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a lane's sessions at a real database do while the lane speaks to the broker. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#hereInFull")
@Tag("server")
class PublishingTest {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 20;

    /** Every session of the database but the one that asks. */
    private static final String SESSIONS = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()\
        """;

    private static final String MARIADB_SESSIONS = """
        SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()\
        """;

    private OutboxDatabase database;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(kind, 1);
    }

    @AfterEach
    void drop() {
        database.close();
    }

    // hazard 11
    @Test
    void neither_statement_nor_transaction_nor_lock_is_open_while_the_broker_is_spoken_to() throws Exception {
        for (int n = 0; n < EVENTS; n++) {
            database.write("order-" + n);
        }
        LookingPublisher publisher = new LookingPublisher();
        LaneSettings settings =
                new LaneSettings(100, 10_000_000, 10, EVENTS / 4, 10_000_000, 1_000_000, Duration.ofSeconds(60));
        OutboxStore outbox = database.outbox();
        OwnedLane owned = outbox.acquire("relay", 1, Duration.ofMinutes(10)).get(0);
        Lane lane = new Lane(
                new Lease("orders", owned, System.nanoTime(), Duration.ofMinutes(10)),
                outbox,
                publisher,
                System::nanoTime,
                settings,
                Events.patientPolicy(),
                new Drops(System::nanoTime),
                () -> ByRoute.always(false),
                new Random(1));

        assertThat(lane.cycle()).isEqualTo(EVENTS);

        assertThat(publisher.looks).isGreaterThan(EVENTS);
        assertThat(publisher.fewestSessions)
                .as("sessions of the lane that were looked at")
                .isPositive();
        assertThat(publisher.busy).as("sessions that were not idle").isEmpty();
        assertThat(publisher.locks).as("locks that were held").isEmpty();
    }

    /** Confirms everything, and checks the database whenever the lane calls it with an event in flight. */
    private final class LookingPublisher implements Publisher {

        private final List<Answer> answers = new ArrayList<>();
        private final List<String> busy = new ArrayList<>();
        private final List<String> locks = new ArrayList<>();
        private long fewestSessions = Long.MAX_VALUE;
        private int looks;

        @Override
        public boolean ready() {
            return true;
        }

        @Override
        public void apart(boolean alone) {
            // nobody else is here
        }

        @Override
        public void publish(Event event) {
            look();
            answers.add(new Answer(event, Outcome.CONFIRMED));
        }

        @Override
        public void flush() {
            look();
        }

        @Override
        public List<Answer> answers(Duration atMost) {
            look();
            List<Answer> all = List.copyOf(answers);
            answers.clear();
            return all;
        }

        @Override
        public void forget(Event event) {
            throw new AssertionError(event + " was confirmed at once");
        }

        private void look() {
            looks++;
            if (database.isInnoDb()) {
                lookAtMariaDb();
            } else {
                lookAtPostgres();
            }
        }

        private void lookAtPostgres() {
            fewestSessions = Math.min(fewestSessions, database.column(SESSIONS).size());
            busy.addAll(lasting("""
                SELECT concat(state, ': ', query) FROM pg_stat_activity
                WHERE pid IN (%s) AND (state <> 'idle' OR xact_start IS NOT NULL)\
                """.formatted(SESSIONS)));
            locks.addAll(database.column("""
                SELECT locktype || ' ' || mode FROM pg_locks WHERE pid IN (%s)\
                """.formatted(SESSIONS)));
        }

        /**
         * What a query still finds after a while. The lane's thread is here, so what it has open stays open; a session
         * that is just starting, or whose server has answered and not yet recorded that, becomes idle by itself.
         */
        private List<String> lasting(String query) {
            AtomicReference<List<String>> found = new AtomicReference<>(List.of());
            try {
                Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> {
                    found.set(database.column(query));
                    return found.get().isEmpty();
                });
            } catch (ConditionTimeoutException e) {
                return found.get();
            }
            return List.of();
        }

        /** Locks of rows and tables are those of a transaction there. */
        private void lookAtMariaDb() {
            fewestSessions =
                    Math.min(fewestSessions, database.column(MARIADB_SESSIONS).size());
            busy.addAll(lasting("""
                SELECT concat_ws(': ', command, info) FROM information_schema.processlist
                WHERE id IN (%s) AND command <> 'Sleep'\
                """.formatted(MARIADB_SESSIONS)));
            locks.addAll(database.column("""
                SELECT trx_state || ' ' || trx_tables_locked FROM information_schema.innodb_trx
                WHERE trx_mysql_thread_id IN (%s)\
                """.formatted(MARIADB_SESSIONS)));
        }
    }
}
