package io.outboxrelay.samples.chassis;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * The age of a service's copies of other services' data: the time of the newest applied event of each source, compared
 * with the clock of the service's own database. It relies on the sources' {@link Heartbeat}, and on both databases'
 * clocks being roughly right. Safe for use by many threads.
 *
 * <p>It needs a table, here as PostgreSQL has it:
 *
 * <pre>{@code
 * CREATE TABLE freshness (source text PRIMARY KEY, as_of timestamptz NOT NULL);
 * }</pre>
 */
public final class Freshness {

    /** The metric of each source's age, in seconds. */
    public static final String METRIC = "shop.copy.age";

    private final JdbcClient database;
    private final MeterRegistry meters;
    private final Set<String> metered = ConcurrentHashMap.newKeySet();

    /**
     * The age of the data of a source.
     *
     * @param source the service that owns the data
     * @param asOf the time of its newest event that was applied
     * @param ageSeconds since then, by the database's clock
     */
    public record Age(String source, Instant asOf, double ageSeconds) {}

    Freshness(JdbcClient database, MeterRegistry meters) {
        this.database = database;
        this.meters = meters;
    }

    /**
     * Records that an event was applied. Call it in the transaction that applies the event; older times change nothing.
     *
     * @param source the service that owns the data
     * @param happenedAt the event's time
     */
    public void heard(String source, Instant happenedAt) {
        database.sql("""
                        INSERT INTO freshness (source, as_of) VALUES (:source, :as_of)
                        ON CONFLICT (source) DO UPDATE SET as_of = excluded.as_of
                        WHERE freshness.as_of < excluded.as_of
                        """)
                .param("source", source)
                .param("as_of", happenedAt.atOffset(ZoneOffset.UTC))
                .update();
        meter(source);
    }

    /**
     * The ages of all sources from which an event has arrived.
     *
     * @return by source, in alphabetical order
     */
    public List<Age> ages() {
        return database.sql("""
                        SELECT source, as_of, extract(epoch FROM clock_timestamp() - as_of) AS age_seconds
                        FROM freshness ORDER BY source
                        """)
                .query((row, n) -> new Age(
                        row.getString("source"),
                        row.getObject("as_of", OffsetDateTime.class).toInstant(),
                        Math.max(0, row.getDouble("age_seconds"))))
                .list();
    }

    /** Also at the start, so that a service that never receives an event does not look fresh. */
    void meterWhatIsKnown() {
        ages().forEach(age -> meter(age.source()));
    }

    private void meter(String source) {
        if (metered.add(source)) {
            Gauge.builder(METRIC, () -> ageOf(source))
                    .baseUnit("seconds")
                    .tag("source", source)
                    .description("Age of the newest event of the source that was applied")
                    .register(meters);
        }
    }

    private double ageOf(String source) {
        try {
            return ages().stream()
                    .filter(age -> age.source().equals(source))
                    .mapToDouble(Age::ageSeconds)
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (DataAccessException e) {
            return Double.NaN;
        }
    }
}
