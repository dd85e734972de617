package io.outboxrelay.relay.source;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;

/** A real lane at a real database that crashes: what the lane remembers must end with that life of the server. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
@Tag("full")
class CrashedDatabaseTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofHours(1);
    private static final int AGGREGATES = 40;

    @Parameter
    DatabaseKind kind;

    private PrivateServer<?> server;
    private OutboxDatabase database;
    private OutboxStore store;
    private Instant running;
    private OwnedLane owned;

    @BeforeEach
    void start() {
        server = kind.startPrivate();
        database = OutboxDatabase.installedIn(server.newDatabase(), 1);
        store = database.outbox();
        store.heartbeat("relay", LONG);
        owned = store.acquire("relay", 1, LONG).get(0);
        running = Instant.now();
    }

    @AfterEach
    void stop() {
        database.close();
        server.close();
    }

    // hazards 79, 80
    @Test
    void given_it_crashes_right_after_failures_were_moved_then_their_aggregates_keep_their_order() throws Exception {
        ObedientPublisher publisher = new ObedientPublisher();
        Lane lane = new Lane(
                new Lease("orders", owned, System.nanoTime(), LONG),
                store,
                publisher,
                System::nanoTime,
                new LaneSettings(1_000, 10_000_000, 10, 100, 10_000_000, 1_000_000, Duration.ofSeconds(60)),
                Events.patientPolicy(),
                new Drops(System::nanoTime),
                () -> ByRoute.always(false),
                new Random(1));
        writeOneOfEach("1");
        writeOneOfEach("2");
        publisher.saysNo = true;
        await().atMost(PATIENCE).until(() -> {
            lane.cycle();
            store.lookAtWriters(System.nanoTime());
            lane.cycle();
            return lane.floor() > 0 || kind == DatabaseKind.MYSQL;
        });

        crash();
        await().atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> writeOneOfEach("3"));
        publisher.saysNo = false;

        await().atMost(PATIENCE).until(() -> {
            try {
                lane.cycle();
                store.heartbeat("relay", LONG);
                return database.number("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_failure)")
                        == 0;
            } catch (DataAccessException | IllegalStateException e) {
                return false; // its connections are gone, or it is not there yet
            }
        });
        assertThat(publisher.arrived)
                .hasSize(AGGREGATES)
                .allSatisfy((aggregate, payloads) ->
                        assertThat(payloads.stream().distinct()).containsExactly("1", "2", "3"));
    }

    // hazard 80
    @Test
    void the_very_next_claim_is_of_another_life_of_the_server() throws Exception {
        database.write("a");
        Claimed before = claim();
        assertThat(claim().incarnation().continues(before.incarnation())).isTrue();

        crash();

        Claimed first = afterTheCrash(this::claim);
        assertThat(first.incarnation().continues(before.incarnation())).isFalse();
        afterTheCrash(() -> {
            store.heartbeat("relay", LONG);
            return true;
        });
        Claimed named = afterTheCrash(this::claim);
        assertThat(named.incarnation().continues(before.incarnation())).isFalse();
        assertThat(afterTheCrash(this::claim).incarnation().continues(named.incarnation()))
                .isTrue();
    }

    /**
     * The first answer: until then the server may be starting, or the pool may give a connection that the crash ended.
     */
    private static <T> T afterTheCrash(Callable<T> call) {
        return await().atMost(PATIENCE).ignoreExceptions().until(call, answer -> true);
    }

    private Claimed claim() {
        return store.claim(new Claim(owned, 0, 10, 1_000, List.of())).orElseThrow();
    }

    private void writeOneOfEach(String payload) {
        try (OutboxDatabase.Transaction service = database.begin()) {
            for (int n = 0; n < AGGREGATES; n++) {
                service.write("order-" + n, payload.getBytes(UTF_8));
            }
            service.commit();
        }
    }

    /**
     * As when the kernel is out of memory: PostgreSQL loses a single process, and begins a new life under the same
     * master. Until then the other sessions go on in the old one, which has a lock that nobody releases.
     */
    private void crash() throws SQLException {
        if (kind == DatabaseKind.POSTGRESQL) {
            JdbcTemplate sessions = new JdbcTemplate(database.asTheRelay());
            try (Connection old = database.asTheRelay().getConnection();
                    Statement statement = old.createStatement()) {
                statement.execute("SELECT pg_advisory_lock(80)");
                assertThatThrownBy(() -> sessions.execute("COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'"))
                        .as("the connection has ended with its process")
                        .isInstanceOf(DataAccessException.class);
                await().atMost(PATIENCE)
                        .ignoreExceptions()
                        .until(() -> sessions.queryForObject("SELECT pg_try_advisory_lock(80)", Boolean.class));
            }
            return;
        }
        // MariaDB and MySQL name a life by the second in which it began.
        await().until(() -> Instant.now().isAfter(running.plusSeconds(1)));
        server.kill();
        server.start();
    }

    /** Returns everything, or confirms everything, and notes what arrived. */
    private static final class ObedientPublisher implements Publisher {

        private final Map<String, List<String>> arrived = new TreeMap<>();
        private final List<Answer> answers = new ArrayList<>();
        private boolean saysNo;

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
            if (saysNo) {
                answers.add(new Answer(event, new Outcome.Nacked("no")));
                return;
            }
            arrived.computeIfAbsent(event.aggregate().id(), aggregate -> new ArrayList<>())
                    .add(new String(event.payload(), UTF_8));
            answers.add(new Answer(event, Outcome.CONFIRMED));
        }

        @Override
        public void flush() {
            // everything is answered at once
        }

        @Override
        public List<Answer> answers(Duration atMost) {
            List<Answer> all = List.copyOf(answers);
            answers.clear();
            return all;
        }

        @Override
        public void forget(Event event) {
            throw new AssertionError(event + " was answered at once");
        }
    }
}
