package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Aggregate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Brings failures back into the order of their aggregates: of an aggregate's blocking rows the first one is tried, parked
 * or paused, and all others wait. Whoever has changed {@code outbox_failure} calls it last, in the same transaction, which
 * holds the rows of the lanes concerned in {@code outbox_lane}: so nobody changes in between what was just read.
 */
final class MariaDbAggregateOrder {

    /** Statements do not grow beyond all bounds. */
    private static final int MOST_AT_ONCE = 1_000;

    private final String failure;

    /** @param prefix of the tables */
    MariaDbAggregateOrder(String prefix) {
        this.failure = prefix + "outbox_failure";
    }

    /** Lets every row that is tried by itself behind the first of its aggregate wait: before {@link #moveUp}. */
    void holdBack(JdbcTemplate database, Collection<Aggregate> aggregates) {
        holdBackAll(database, keys(aggregates));
    }

    /** The same, by the values of the column {@code aggregate}. */
    void holdBackAll(JdbcTemplate database, List<byte[]> all) {
        for (List<byte[]> keys : parts(all)) {
            List<Long> later = database.queryForList(
                    """
                    SELECT later.id FROM (%s) touched
                    STRAIGHT_JOIN FAILURE later FORCE INDEX (outbox_failure_aggregate_state)
                        ON later.aggregate = touched.aggregate AND later.state IN ('retrying', 'parked')
                    WHERE later.next_attempt_at IS NOT NULL AND EXISTS (
                        SELECT 1 FROM FAILURE first FORCE INDEX (outbox_failure_aggregate)
                        WHERE first.aggregate = later.aggregate AND first.blocking = 1 AND first.id < later.id)
                    """.replace("FAILURE", failure).formatted(Sql.column("aggregate", keys)),
                    Long.class,
                    keys.toArray());
            update(database, "state = 'waiting', next_attempt_at = NULL", later);
        }
    }

    /** Lets the first row of each aggregate be tried now if it has waited until here. */
    void moveUp(JdbcTemplate database, Collection<Aggregate> aggregates) {
        moveUpAll(database, keys(aggregates));
    }

    /** The same, by the values of the column {@code aggregate}. */
    void moveUpAll(JdbcTemplate database, List<byte[]> all) {
        for (List<byte[]> keys : parts(all)) {
            List<Long> first = database.queryForList(
                    """
                    SELECT id FROM (
                        SELECT (SELECT f.id FROM FAILURE f FORCE INDEX (outbox_failure_aggregate)
                                WHERE f.aggregate = touched.aggregate AND f.blocking = 1 ORDER BY f.id LIMIT 1) AS id
                        FROM (%s) touched) firsts
                    WHERE id IS NOT NULL
                    """.replace("FAILURE", failure).formatted(Sql.column("aggregate", keys)),
                    Long.class,
                    keys.toArray());
            update(database, "state = 'retrying', next_attempt_at = utc_timestamp(6)", first, "AND state = 'waiting'");
        }
    }

    /** Returns those of the aggregates that have no blocking row any more. */
    Set<Aggregate> free(JdbcTemplate database, Collection<Aggregate> aggregates) {
        return aggregates.stream()
                .filter(aggregate -> database.queryForList(
                                """
                                SELECT 1 FROM FAILURE FORCE INDEX (outbox_failure_aggregate)
                                WHERE aggregate = ? AND blocking = 1 LIMIT 1
                                """.replace("FAILURE", failure), Integer.class, (Object) Sql.key(aggregate))
                        .isEmpty())
                .collect(Collectors.toSet());
    }

    private void update(JdbcTemplate database, String values, List<Long> ids) {
        update(database, values, ids, "");
    }

    private void update(JdbcTemplate database, String values, List<Long> ids, String condition) {
        if (!ids.isEmpty()) {
            database.update(
                    "UPDATE %s SET %s WHERE id IN (%s) %s".formatted(failure, values, Sql.numbers(ids), condition));
        }
    }

    private static List<byte[]> keys(Collection<Aggregate> aggregates) {
        return aggregates.stream().distinct().map(Sql::key).toList();
    }

    private static List<List<byte[]>> parts(List<byte[]> keys) {
        List<List<byte[]>> parts = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += MOST_AT_ONCE) {
            parts.add(keys.subList(from, Math.min(keys.size(), from + MOST_AT_ONCE)));
        }
        return parts;
    }
}
