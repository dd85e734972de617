package io.outboxrelay.samples.chassis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.samples.contracts.OrdersHeartbeat;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

@Tag("server")
class HeartbeatTest {

    private final ClassLoader classes = HeartbeatTest.class.getClassLoader();
    private TestDatabase server;

    @AfterEach
    void drop() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void there_is_one_heartbeat_in_an_interval_however_many_instances_there_are(DatabaseKind kind) {
        DataSource source = install(kind);
        List<CompletableFuture<Void>> instances = Stream.generate(() -> heartbeat(source, Duration.ofHours(1)))
                .limit(4)
                .map(instance -> CompletableFuture.runAsync(instance::beat))
                .toList();
        instances.forEach(CompletableFuture::join);

        assertThat(beats(source)).containsExactly(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void each_heartbeat_has_the_next_version_and_the_time_of_the_database(DatabaseKind kind) {
        DataSource source = install(kind);
        Heartbeat heartbeat = heartbeat(source, Duration.ofNanos(2));
        heartbeat.beat();
        heartbeat.beat();
        heartbeat.beat();

        assertThat(beats(source)).containsExactly(1, 2, 3);
        assertThat(lastBeat).isCloseTo(Instant.now(), within(1, ChronoUnit.MINUTES));
    }

    private Instant lastBeat = Instant.EPOCH;

    private DataSource install(DatabaseKind kind) {
        server = kind.newDatabase();
        DataSource source = server.dataSource();
        OutboxSchema.defaults().installOn(source);
        JdbcClient database = JdbcClient.create(source);
        database.sql(
                        kind.isInnoDb()
                                ? "CREATE TABLE heartbeat (version int NOT NULL, beat_at timestamp(6) NOT NULL)"
                                : "CREATE TABLE heartbeat (version int NOT NULL, beat_at timestamptz NOT NULL)")
                .update();
        database.sql("INSERT INTO heartbeat VALUES (0, '2000-01-01 00:00:00')").update();
        return source;
    }

    private Heartbeat heartbeat(DataSource source, Duration interval) {
        JdbcTransactionManager transactions = new JdbcTransactionManager(source);
        Events events = new Events(
                new Outbox(source, transactions),
                AvroEvents.onClassPath(classes),
                Contracts.onClassPath(classes),
                classes);
        return new Heartbeats(events, JdbcClient.create(source), new TransactionTemplate(transactions), interval)
                .of("orders", beat -> {
                    lastBeat = beat.at();
                    return new OrdersHeartbeat(beat.version(), beat.at());
                });
    }

    /** The versions of the heartbeats in the outbox, as consumers read them. */
    private List<Integer> beats(DataSource source) {
        Events events = new Events(
                new Outbox(source, "public"), AvroEvents.onClassPath(classes), Contracts.onClassPath(classes), classes);
        return JdbcClient.create(source)
                .sql("SELECT payload FROM outbox WHERE aggregate_type = 'heartbeat' ORDER BY position")
                .query(byte[].class)
                .list()
                .stream()
                .map(payload ->
                        events.read(Received.event("OrdersHeartbeat", payload)).orElseThrow())
                .map(Events::version)
                .toList();
    }
}
