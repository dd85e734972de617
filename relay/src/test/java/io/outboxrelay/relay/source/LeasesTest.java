package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import io.outboxrelay.relay.lane.Lane;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.rabbitmq.Broker;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.PublishMetrics;
import io.outboxrelay.relay.rabbitmq.RabbitPublisher;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sharing of lanes by the database, with heartbeats made by hand and a broker that is not there. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class LeasesTest {

    @Parameter
    DatabaseKind kind;

    private static final int LANES = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofMinutes(10);

    private final List<Relay> relays = new ArrayList<>();
    private OutboxDatabase database;
    private OutboxStore outbox;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(kind, LANES);
        outbox = database.outbox();
    }

    @AfterEach
    void stop() {
        relays.forEach(Relay::stop);
        database.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 9})
    void relays_own_every_lane_once_and_none_more_than_its_share(int count) {
        for (int n = 0; n < count; n++) {
            start("relay-" + n, LONG);
            relays.forEach(relay -> relay.leases.beat());
        }
        int share = (LANES + count - 1) / count;

        awaitShared(share);

        assertThat(database.number("SELECT count(*) FROM outbox_lane WHERE owner IS NOT NULL"))
                .isEqualTo(LANES);
    }

    // hazard 23
    @Test
    void a_newcomer_gets_its_share_and_the_lanes_of_one_that_leaves_are_taken_at_once() {
        Relay first = start("first", LONG);
        first.leases.beat();
        assertThat(first.lanes()).isEqualTo(LANES);
        Relay newcomer = start("newcomer", LONG);
        newcomer.leases.beat();
        assertThat(newcomer.lanes()).isZero();

        first.leases.beat();
        await().atMost(PATIENCE).until(() -> first.lanes() == LANES / 2);
        newcomer.leases.beat();
        assertThat(newcomer.lanes()).isEqualTo(LANES / 2);

        first.stop();
        outbox.goodbye("first");
        newcomer.leases.beat();
        assertThat(newcomer.lanes()).isEqualTo(LANES);
    }

    // hazard 60
    @Test
    void a_lane_whose_row_somebody_holds_is_not_lost_and_does_not_keep_the_others_from_being_renewed() {
        Relay relay = start("relay", LONG);
        relay.leases.beat();
        Map<String, String> before = owners();
        database.execute("UPDATE outbox_lane SET lease_until = clock_timestamp() + interval '1 minute'");
        try (OutboxDatabase.Transaction command = database.begin()) {
            command.execute("SELECT FROM outbox_lane WHERE lane = 0 FOR UPDATE");

            relay.leases.beat();

            assertThat(renewed()).as("all but the one that is held").isEqualTo(LANES - 1);
            assertThat(relay.leases.owned().get(0).isStopping()).isFalse();
            assertThat(relay.leases.owned().get(0).lease().trusted(System.nanoTime()))
                    .isTrue();
        }

        relay.leases.beat();

        assertThat(renewed()).isEqualTo(LANES);
        assertThat(owners()).isEqualTo(before);
    }

    private long renewed() {
        return database.number(
                "SELECT count(*) FROM outbox_lane WHERE lease_until > clock_timestamp() + interval '2 minutes'");
    }

    // hazard 20
    @Test
    void a_relay_whose_lease_ran_out_lets_go_of_a_lane_that_another_one_has_taken() {
        Relay frozen = start("frozen", Duration.ofMillis(1));
        frozen.leases.beat();
        List<LaneRunner> before = List.copyOf(frozen.leases.owned().values());
        assertThat(before).hasSize(LANES);
        Relay other = start("other", LONG);

        await().atMost(PATIENCE).until(() -> {
            other.leases.beat();
            return other.lanes() == LANES;
        });
        Map<String, String> owners = owners();
        frozen.leases.beat();

        assertThat(before)
                .allMatch(LaneRunner::isStopping)
                .noneMatch(lane -> lane.lease().trusted(System.nanoTime()));
        await().atMost(PATIENCE).until(() -> frozen.lanes() == 0);
        assertThat(owners()).isEqualTo(owners);
    }

    // hazard 16
    @Test
    void lanes_that_begin_anew_are_given_back_and_taken_with_nothing_remembered() {
        Relay relay = start("relay", LONG);
        relay.leases.beat();
        List<LaneRunner> before = List.copyOf(relay.leases.owned().values());

        relay.leases.beginAnew();
        await().atMost(PATIENCE).until(() -> relay.lanes() == 0);
        relay.leases.beat();

        assertThat(relay.leases.owned().values()).hasSize(LANES).doesNotContainAnyElementsOf(before);
        assertThat(database.number("SELECT min(epoch) FROM outbox_lane")).isEqualTo(2);
    }

    private Relay start(String name, Duration duration) {
        Relay relay = new Relay(name, outbox, duration);
        relays.add(relay);
        return relay;
    }

    private void awaitShared(int share) {
        await().atMost(PATIENCE).until(() -> {
            relays.forEach(relay -> relay.leases.beat());
            return relays.stream().allMatch(relay -> relay.lanes() <= share)
                    && relays.stream().mapToInt(Relay::lanes).sum() == LANES;
        });
    }

    private Map<String, String> owners() {
        return database.column("SELECT lane || ' ' || owner || ' ' || epoch FROM outbox_lane").stream()
                .collect(Collectors.toMap(lane -> lane.split(" ")[0], lane -> lane));
    }

    /** A relay that never publishes: its broker is never connected. */
    private static final class Relay {

        final Leases leases;
        private final Lookout lookout;

        Relay(String name, OutboxStore outbox, Duration duration) {
            BrokerSettings nowhere = new BrokerSettings(
                    URI.create("amqp://127.0.0.1:1"),
                    "events",
                    "all",
                    BrokerSettings.Topology.NONE,
                    false,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(1),
                    null,
                    null,
                    false);
            Broker broker = new Broker("orders", name, nowhere);
            PublishMetrics metrics = new PublishMetrics("orders", new SimpleMeterRegistry());
            LaneSettings bounds = new LaneSettings(10, 1_000, 10, 10, 1_000, 1_000, Duration.ofSeconds(1));
            RandomGenerator random = RandomGenerator.getDefault();
            lookout = new Lookout(
                    "orders", outbox, new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)), null, random);
            Leases[] self = new Leases[1];
            leases = new Leases("orders", name, outbox, duration, lease -> {
                RabbitPublisher publisher = new RabbitPublisher("orders", broker, nowhere, metrics);
                Lane lane = new Lane(
                        lease,
                        outbox,
                        publisher,
                        System::nanoTime,
                        bounds,
                        Events.patientPolicy(),
                        new Drops(System::nanoTime),
                        () -> ByRoute.always(false),
                        random);
                return new LaneRunner("orders", lease, lane, publisher, lookout, self[0]::ended);
            });
            self[0] = leases;
        }

        int lanes() {
            return leases.owned().size();
        }

        void stop() {
            leases.owned().values().forEach(LaneRunner::stop);
            await().atMost(PATIENCE).until(() -> lanes() == 0);
        }
    }
}
