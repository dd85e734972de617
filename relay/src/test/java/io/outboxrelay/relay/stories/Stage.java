package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.stories.RelayFile.Database;
import io.outboxrelay.relay.stories.RelayFile.Timing;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;

/** One outbox with its writers, its observer and the relays between them. Closing ends them all. */
final class Stage implements AutoCloseable {

    static final int LANES = OutboxSchema.DEFAULT_LANES;

    private static final Duration VERDICT = Duration.ofSeconds(120);

    private final Path folder;
    private final TestDatabase database;
    private final RelayFile file;
    private final Writers writers;
    private final Observer observer;
    private final JdbcTemplate sql;
    private final Deque<RelayProcess> relays = new ArrayDeque<>();

    /**
     * Installs the outbox and the observer's queue; nothing runs yet.
     *
     * @param folder for configurations and logs
     * @param database an empty one
     * @param host an empty one, or one that other stages use for other types
     * @param aggregateType what the writers write about
     * @param aggregates how many of them
     */
    Stage(Path folder, TestDatabase database, TestVirtualHost host, String aggregateType, int aggregates)
            throws Exception {
        this.folder = folder;
        this.database = database;
        OutboxSchema.install(database.dataSource());
        this.sql = new JdbcTemplate(database.sessions());
        this.writers = new Writers(database, aggregateType, aggregates);
        this.observer = new Observer(host, aggregateType, writers::observed);
        this.file =
                new RelayFile("relay", host.amqpUri(), List.of(Database.of(aggregateType, database)), Timing.IMPATIENT);
    }

    Writers writers() {
        return writers;
    }

    Observer observer() {
        return observer;
    }

    JdbcTemplate sql() {
        return sql;
    }

    TestDatabase database() {
        return database;
    }

    /** The configuration of a relay of this outbox. */
    RelayFile file() {
        return file;
    }

    /** Starts a relay and waits until it is ready. */
    RelayProcess relay(RelayFile told) throws Exception {
        return relay(told, Map.of());
    }

    /** Starts a relay with something added to its environment, and waits until it is ready. */
    RelayProcess relay(RelayFile told, Map<String, String> environment) throws Exception {
        return start(told, environment).awaitReady();
    }

    /** Starts a relay and does not wait. */
    RelayProcess start(RelayFile told, Map<String, String> environment) throws Exception {
        RelayProcess relay = RelayProcess.start(folder, told, environment);
        relays.push(relay);
        return relay;
    }

    /** Waits until this number of different events have arrived. */
    void awaitReceived(int events) {
        await().alias(events + " events have arrived").atMost(VERDICT).until(() -> observer.received() >= events);
    }

    /**
     * Number of lanes by instance, without free lanes. An owner's name is its instance and a suffix for the process.
     */
    Map<String, Integer> lanes() {
        Map<String, Integer> lanes = new TreeMap<>();
        sql.query("SELECT owner, count(*) FROM outbox_lane WHERE owner IS NOT NULL GROUP BY owner", row -> {
            lanes.merge(row.getString(1).replaceFirst("#.*", ""), row.getInt(2), Integer::sum);
        });
        return lanes;
    }

    /** Waits until the lanes are shared like this; MySQL takes a minute to end what a frozen relay holds. */
    void awaitLanes(Map<String, Integer> owners) {
        await().alias("lanes are shared as " + owners)
                .atMost(Duration.ofSeconds(180))
                .ignoreExceptions()
                .until(() -> lanes().equals(owners));
    }

    /** Number of changes of owner, over all lanes. */
    int epochs() {
        Integer sum = sql.queryForObject("SELECT sum(epoch) FROM outbox_lane", Integer.class);
        return sum == null ? 0 : sum;
    }

    /** Rows that are not yet settled. */
    int backlog() {
        Integer rows = sql.queryForObject("SELECT count(*) FROM outbox", Integer.class);
        return rows == null ? 0 : rows;
    }

    /** Waits until everything is published, and checks that all of it arrived, nothing else, and in order. */
    void verdict() throws Exception {
        writers.join();
        await().alias("the outbox is empty").atMost(VERDICT).until(() -> backlog() == 0);
        observer.catchUp();
        Set<UUID> committed = writers.ledger();
        Set<UUID> arrived = observer.ids();
        assertThat(committed).as("committed events").isNotEmpty();
        assertThat(without(committed, arrived))
                .as("committed and never delivered")
                .isEmpty();
        assertThat(without(arrived, committed))
                .as("delivered and never committed")
                .isEmpty();
        assertThat(observer.disorder()).as("first deliveries out of order").isEmpty();
    }

    @Override
    public void close() {
        relays.forEach(RelayProcess::close);
        writers.close();
        observer.close();
    }

    private static Set<UUID> without(Set<UUID> some, Set<UUID> others) {
        Set<UUID> rest = new HashSet<>(some);
        rest.removeAll(others);
        return rest;
    }
}
