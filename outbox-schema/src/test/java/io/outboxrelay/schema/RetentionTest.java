package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code outbox_retain}, which the relay calls, does to the partitions of {@code outbox_published}. */
@Tag("server")
class RetentionTest {

    private static final String PUBLISHED = """
            INSERT INTO outbox_published (published_at, lane, position, event_id, aggregate_type, aggregate_id,
                event_type, payload, content_type, headers, occurred_at)
            SELECT %1$s, 0, 1, gen_random_uuid(), 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{}', %1$s
            FROM generate_series(1, %2$d)""";

    private static final String DAYS_AGO = "clock_timestamp() - interval '%d days'";

    private static final String PARTITIONS = """
            SELECT to_date(right(relname, 8), 'YYYYMMDD') - (clock_timestamp() AT TIME ZONE 'UTC')::date
            FROM pg_class WHERE relname ~ '^outbox_published_[0-9]{8}$' AND relkind = 'r' ORDER BY 1""";

    private TestDatabase database;
    private DataSource owner;
    private DataSource relay;

    @BeforeEach
    void install() {
        database = Servers.postgres().newDatabase();
        owner = database.dataSource();
        OutboxSchema.install(owner);
        relay = Sql.as("outbox_relay", database);
    }

    @AfterEach
    void drop_the_database() {
        database.close();
    }

    @Test
    void makes_a_partition_for_today_and_the_next_week_once() throws Exception {
        assertThat(retain("7 days")).isEqualTo("8 made, 0 dropped, 0 removed, busy f");
        assertThat(retain("7 days")).isEqualTo("0 made, 0 dropped, 0 removed, busy f");

        assertThat(Sql.column(owner, PARTITIONS)).containsExactly("0", "1", "2", "3", "4", "5", "6", "7");
        publish(DAYS_AGO.formatted(0), 1);
        assertThat(inTheRest()).isEqualTo("0");
    }

    @Test
    void drops_a_day_only_when_nothing_of_it_is_to_be_kept_any_more() throws Exception {
        for (int day = 5; day <= 10; day++) {
            day(day);
            publish(DAYS_AGO.formatted(day), 3);
        }

        // Of the day that began between 7 and 8 days ago, some were published less than 7 days ago.
        assertThat(retainUntilDone("7 days")).isEqualTo(3);

        assertThat(Sql.column(owner, PARTITIONS)).startsWith("-7", "-6", "-5", "0", "1");
        assertThat(Sql.column(owner, "SELECT count(*) FROM outbox_published")).containsExactly("9");
    }

    @Test
    void a_year_of_retention_keeps_a_year() throws Exception {
        for (int day : List.of(364, 365, 366, 367, 400)) {
            day(day);
            publish(DAYS_AGO.formatted(day), 1);
        }

        assertThat(retainUntilDone("365 days")).isEqualTo(3);

        assertThat(Sql.column(owner, PARTITIONS)).startsWith("-365", "-364");
    }

    @Test
    void what_no_partition_was_there_for_is_kept_as_long_and_then_removed_in_bounded_steps() throws Exception {
        publish(DAYS_AGO.formatted(8), 5_001);
        publish(DAYS_AGO.formatted(6), 2);
        publish(DAYS_AGO.formatted(0), 3);
        assertThat(inTheRest()).isEqualTo("5006");

        assertThat(retain("7 days"))
                .as("the partition of today cannot be made, for there are rows of today in the rest")
                .isEqualTo("7 made, 0 dropped, 5000 removed, busy f");
        assertThat(retain("7 days")).isEqualTo("0 made, 0 dropped, 1 removed, busy f");
        assertThat(retain("7 days")).isEqualTo("0 made, 0 dropped, 0 removed, busy f");
        assertThat(inTheRest()).isEqualTo("5");
    }

    @Test
    void never_touches_what_is_not_published_or_parked_whatever_its_age() throws Exception {
        Sql.execute(owner, """
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
                SELECT 'order', n::text, 'OrderPlaced', 'x', 'text/plain', now() - interval '2 years'
                FROM generate_series(1, 10) n""");
        Sql.execute(owner, """
                INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                    content_type, headers, occurred_at, state, first_failed_at, failed_at, reason)
                SELECT 0, n, gen_random_uuid(), 'order', n::text, 'OrderPlaced', 'x', 'text/plain', '{}',
                       now() - interval '2 years', 'parked', now() - interval '2 years', now() - interval '2 years',
                           'unroutable'
                FROM generate_series(1, 10) n""");
        day(500);
        publish(DAYS_AGO.formatted(500), 1);

        assertThat(retainUntilDone("1 hour")).isEqualTo(1);

        assertThat(Sql.column(owner, "SELECT count(*) FROM outbox")).containsExactly("10");
        assertThat(Sql.column(owner, "SELECT count(*) FROM outbox_failure")).containsExactly("10");
    }

    @Test
    void a_reader_in_the_way_is_not_waited_for_long_and_its_days_are_dropped_the_next_time() throws Exception {
        retain("7 days");
        day(10);
        publish(DAYS_AGO.formatted(10), 1);
        try (Connection reader = owner.getConnection();
                Statement reading = reader.createStatement()) {
            reader.setAutoCommit(false);
            reading.execute("SELECT * FROM outbox_published");

            assertThat(retain("7 days")).isEqualTo("0 made, 0 dropped, 0 removed, busy t");
        }
        assertThat(retain("7 days")).isEqualTo("0 made, 1 dropped, 0 removed, busy f");
    }

    @Test
    void drops_one_day_at_a_time_and_none_while_it_makes_some() throws Exception {
        day(10);
        day(11);

        assertThat(retain("7 days")).isEqualTo("8 made, 0 dropped, 0 removed, busy f");
        assertThat(retain("7 days")).isEqualTo("0 made, 1 dropped, 0 removed, busy f");
        assertThat(retain("7 days")).isEqualTo("0 made, 1 dropped, 0 removed, busy f");
    }

    // hazard 32
    @Test
    void whoever_settles_meanwhile_neither_deadlocks_nor_waits_longer_than_two_seconds() throws Exception {
        for (int day = 10; day < 22; day++) {
            day(day);
        }
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Integer> settler = CompletableFuture.supplyAsync(() -> settleUntil(done));
        int dropped = retainUntilDone("7 days");
        done.set(true);

        assertThat(dropped).isEqualTo(12);
        assertThat(settler.get())
                .as("settled, each within the settler's lock_timeout")
                .isEqualTo(Integer.valueOf(Sql.value(owner, "SELECT count(*) FROM outbox_published")));
    }

    private int settleUntil(AtomicBoolean done) {
        try (Connection connection = relay.getConnection();
                Statement settling = connection.createStatement()) {
            settling.execute("SET lock_timeout = '2s'");
            int settled = 0;
            do {
                settled += settling.executeUpdate(PUBLISHED.formatted("clock_timestamp()", 10));
            } while (!done.get());
            return settled;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void of_two_at_once_one_does_it() throws Exception {
        try (Connection other = relay.getConnection();
                Statement retaining = other.createStatement()) {
            other.setAutoCommit(false);
            retaining.execute("SELECT * FROM outbox_retain('7 days')");

            assertThat(retain("7 days")).isEqualTo("0 made, 0 dropped, 0 removed, busy t");
            other.commit();
        }
        assertThat(Sql.column(owner, PARTITIONS)).hasSize(8);
    }

    @Test
    void a_login_without_rights_keeps_no_relay_from_retention() throws Exception {
        try (Connection stranger = owner.getConnection();
                Statement holding = stranger.createStatement()) {
            stranger.setAutoCommit(false);
            holding.execute("""
                    SELECT pg_advisory_lock(one.oid::int, another.oid::int) FROM pg_class one, pg_class another
                    WHERE one.relname = 'pg_class' AND another.relname = 'outbox_published'""");
            assertThatThrownBy(() -> Sql.execute(
                            Sql.as("outbox_writer", database),
                            "BEGIN; LOCK TABLE outbox_published IN SHARE UPDATE EXCLUSIVE MODE"))
                    .hasMessageContaining("permission denied");

            assertThat(retain("7 days")).endsWith("busy f");
        }
    }

    @Test
    void less_than_an_hour_is_refused() {
        assertThatThrownBy(() -> retain("59 minutes"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("for an hour at least, not for 00:59:00");
    }

    private String retain(String keep) throws SQLException {
        return Sql.column(relay, """
                SELECT format('%%s made, %%s dropped, %%s removed, busy %%s', made, dropped, removed, busy)
                FROM outbox_retain('%s')""".formatted(keep)).get(0);
    }

    /** Returns how many of the days that were there were dropped. */
    private int retainUntilDone(String keep) throws SQLException {
        int before = Sql.column(owner, PARTITIONS).size();
        int made = 0;
        String result;
        do {
            result = retain(keep);
            made += Integer.parseInt(result.substring(0, 1));
        } while (!result.equals("0 made, 0 dropped, 0 removed, busy f"));
        return before + made - Sql.column(owner, PARTITIONS).size();
    }

    private String inTheRest() throws SQLException {
        return Sql.column(owner, "SELECT count(*) FROM outbox_published_rest").get(0);
    }

    private void day(int daysAgo) throws SQLException {
        Sql.execute(
                owner,
                "SELECT outbox_published_day((clock_timestamp() AT TIME ZONE 'UTC')::date - %d)".formatted(daysAgo));
    }

    private void publish(String at, int events) throws SQLException {
        Sql.execute(owner, PUBLISHED.formatted(at, events));
    }
}
