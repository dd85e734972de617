package io.outboxrelay.samples.chassis;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

@Tag("server")
class FreshnessTest {

    private final TestDatabase database = DatabaseKind.POSTGRESQL.newDatabase();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Freshness freshness = new Freshness(JdbcClient.create(database.dataSource()), meters);
    private final Instant tenMinutesAgo = Instant.now().minusSeconds(600).truncatedTo(ChronoUnit.MICROS);

    @BeforeEach
    void create() {
        JdbcClient.create(database.dataSource())
                .sql("CREATE TABLE freshness (source text PRIMARY KEY, as_of timestamptz NOT NULL)")
                .update();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void the_newest_event_gives_the_age_of_the_copy_and_older_events_change_nothing() {
        freshness.heard("products", tenMinutesAgo);
        freshness.heard("products", tenMinutesAgo.minusSeconds(100));
        freshness.heard("customers", Instant.now());

        assertThat(freshness.ages()).extracting(Freshness.Age::source).containsExactly("customers", "products");
        assertThat(freshness.ages().get(1).asOf()).isEqualTo(tenMinutesAgo);
        assertThat(freshness.ages().get(1).ageSeconds()).isBetween(600.0, 3_600.0);
        assertThat(freshness.ages().get(0).ageSeconds()).isLessThan(600);
    }

    @Test
    void the_age_is_a_metric_even_after_a_restart_without_events() {
        freshness.heard("products", tenMinutesAgo);
        SimpleMeterRegistry anew = new SimpleMeterRegistry();
        new Freshness(JdbcClient.create(database.dataSource()), anew).meterWhatIsKnown();

        assertThat(meters.get(Freshness.METRIC)
                        .tag("source", "products")
                        .gauge()
                        .value())
                .isBetween(600.0, 3_600.0);
        assertThat(anew.get(Freshness.METRIC).tag("source", "products").gauge().value())
                .isBetween(600.0, 3_600.0);
    }
}
