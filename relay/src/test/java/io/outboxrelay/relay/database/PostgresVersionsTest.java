package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.HostileObjects;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every major version has what the outbox needs, and gives it to the roles that need it. The other tests go into depth,
 * on one version.
 */
@ParameterizedClass(name = "PostgreSQL {0}")
@ValueSource(ints = {14, 15, 16, 17, 18})
@Tag("server")
@Tag("full")
class PostgresVersionsTest {

    private static final Duration LONG = Duration.ofHours(1);
    private static final Filter EVERYTHING = new Filter(List.of(), State.SHOWN, null, null, null, null, null);

    private static PrivateServer<Postgres> server;

    @Parameter
    int major;

    private OutboxDatabase database;
    private DataSource relay;
    private OutboxStore outbox;
    private OwnedLane owned;

    @BeforeParameterizedClassInvocation
    static void start(int major) {
        server = Servers.startPrivatePostgres(major);
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        server.close();
    }

    @BeforeEach
    void own_a_lane_by_the_role_of_a_relay() {
        database = OutboxDatabase.installedIn(server.newDatabase(), 1);
        relay = database.loginWithOnly("outbox_relay");
        outbox = database.outbox(relay, 1_000_000);
        owned = outbox.acquire("relay", 1, LONG).get(0);
    }

    @AfterEach
    void drop() {
        database.dropLogin();
        database.close();
    }

    @Test
    void it_is_the_version_that_was_asked_for() {
        assertThat(database.number("SHOW server_version_num") / 10_000).isEqualTo(major);
    }

    @Test
    void the_tables_are_installed_and_installing_again_changes_nothing() {
        assertThat(outbox.schemaVersion()).hasValue(OutboxSchema.VERSION);
        assertThat(OutboxSchema.install(database.database().dataSource()).changed())
                .isFalse();
    }

    @Test
    void an_aggregate_is_in_the_same_lane_in_all_versions() {
        try (OutboxDatabase another = OutboxDatabase.installedIn(server.newDatabase(), 1_000)) {
            another.write("4711");

            assertThat(another.number("SELECT lane FROM outbox")).isEqualTo(257);
        }
    }

    @Test
    void events_are_found_claimed_and_settled_and_the_floor_rises() {
        long written = database.write("a");
        outbox.lookAtWriters(0);

        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).containsExactly(0);
        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), claimed()))
                .isEqualTo(1);

        assertThat(outbox.closed().position()).isEqualTo(written);
        assertThat(outbox.backlog(Map.of(0, outbox.closed().position())).events())
                .isZero();
    }

    @Test
    void whoever_holds_the_floor_back_is_named() {
        try (OutboxDatabase.Transaction open = database.begin()) {
            open.write("a");
            outbox.lookAtWriters(0);

            assertThat(outbox.lookAtWriters(1).longest()).isPresent();
            assertThat(outbox.closed().position()).isZero();
        }
    }

    @Test
    void leases_are_shared_renewed_and_given_back() {
        assertThat(outbox.heartbeat("relay", LONG).relays()).isEqualTo(1);
        assertThat(outbox.heartbeat("another", LONG).relays()).isEqualTo(2);
        assertThat(outbox.renew("relay", List.of(0), LONG)).containsExactly(owned);
        assertThat(outbox.release(owned)).isTrue();
        assertThat(outbox.acquire("another", 1, LONG)).hasSize(1);
    }

    @Test
    void what_fails_is_kept_with_what_is_behind_it_and_an_admin_lets_it_be_tried_again() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();
        Failed parked = new Failed(events.get(0), State.PARKED, true, 3, 3, null, Reason.UNROUTABLE, "no queue");
        outbox.keep(
                owned,
                OutboxDatabase.life(outbox, owned),
                new Changes(List.of(), List.of(parked), events.subList(1, 2)));
        database.giveLogin("outbox_admin", "outbox_relay");

        assertThat(database.failures(relay)
                        .failedEvents()
                        .retry(EVERYTHING, new Failures.Note("ann", "mended"), done -> {}))
                .isEqualTo(1);

        database.giveLogin("outbox_relay", "outbox_admin");
        assertThat(outbox.due(new Due(0, 10, 1_000, 10)))
                .extracting(Event::position)
                .containsExactly(1L, 2L);
    }

    @Test
    void what_was_published_is_retained_and_let_go_of_by_days() {
        OutboxStore retaining = database.retainingOutbox(relay);
        assertThat(retaining.retain(Duration.ofDays(7))).isEqualTo(new Retention(0, 0, false));
        database.write("a");

        retaining.settle(owned, OutboxDatabase.life(retaining, owned), claimed());

        assertThat(database.number("SELECT count(*) FROM outbox_published")).isEqualTo(1);
    }

    @Test
    void a_relay_that_sleeps_is_called() {
        database.execute("SELECT outbox_wakeup(true)");
        try (Wakeup wakeup = Dialect.POSTGRESQL.wakeup(OutboxSchema.DEFAULT_NAME, relay)) {
            wakeup.asleep();
            database.write("a");

            assertThat(wakeup.await(Duration.ofMinutes(1))).isTrue();
        }
    }

    // hazard 83
    @Test
    void what_a_stranger_lays_out_to_hide_the_catalog_is_not_used_by_a_relay_or_a_command() throws Exception {
        assumeTrue(major == 14, "where everyone may create objects in public");
        long first = database.write("a");
        database.write("a");
        database.execute("GRANT outbox_admin TO " + database.login());
        HostileObjects.fitBetter(database.database().dataSource(), "nobody");
        HostileObjects.hideTheCatalog(database.database(), database.login());
        outbox = database.retainingOutbox(relay);

        assertThat(outbox.schemaVersion()).hasValue(OutboxSchema.VERSION);
        outbox.heartbeat("relay", LONG);
        assertThat(outbox.renew("relay", List.of(0), LONG)).hasSize(1);
        outbox.lookAtWriters(0);
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).containsExactly(0);
        assertThat(outbox.retain(Duration.ofDays(7)).busy()).isFalse();
        assertThat(outbox.backlog(Map.of(0, 0L)).events()).isEqualTo(2);
        List<Event> events = claimed();
        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), events.subList(0, 1)))
                .isEqualTo(1);
        outbox.keep(
                owned,
                OutboxDatabase.life(outbox, owned),
                new Changes(
                        List.of(),
                        List.of(new Failed(
                                events.get(1), State.PARKED, true, 3, 3, Duration.ZERO, Reason.UNROUTABLE, "no queue")),
                        List.of()));
        assertThat(outbox.blocked(owned))
                .hasValueSatisfying(blocked -> assertThat(blocked.aggregates()).hasSize(1));
        assertThat(outbox.failures(List.of(0)).events()).containsEntry("parked", 1L);
        assertThat(outbox.stuck(List.of(0), 3)).hasSize(1);

        Failures failures = database.failures(relay);
        Failures.Note note = new Failures.Note("ann", "a drill");
        failures.requireVersion();
        assertThat(failures.failedEvents().list(EVERYTHING, 10).failures()).hasSize(1);
        assertThat(failures.pause(new Failures.Route("Order", "*"), note)).isTrue();
        assertThat(failures.resume(new Failures.Route("Order", "*"), note)).isTrue();
        assertThat(failures.failedEvents().retry(EVERYTHING, note, done -> {})).isEqualTo(1);
        assertThat(failures.locate(events.get(1).id()).audit()).isNotNull();
        assertThat(outbox.due(new Due(0, 10, 1_000, 10))).hasSize(1);
        assertThat(outbox.release(owned)).isTrue();
        assertThat(first).isEqualTo(events.get(0).position());
    }

    private List<Event> claimed() {
        return outbox.claim(new Claim(owned, 0, 1_000, 1_000_000, List.of()))
                .orElseThrow()
                .events();
    }
}
