package io.outboxrelay.relay.database;

/**
 * Brings failures back into the order of their aggregates: of an aggregate's blocking rows the first one is tried, parked
 * or paused, and all others wait. Whoever has changed {@code outbox_failure} makes these statements last, in the same
 * transaction, which holds the rows of the lanes concerned in {@code outbox_lane}.
 *
 * <p>Both are given the aggregates by {@link #NAMES} or by {@link #ROWS}. Naming an aggregate twice does no harm.
 */
final class PostgresAggregateOrder {

    /** Three arrays of equal length: {@code int[]} of lanes, {@code text[]} of aggregate types and of aggregate ids. */
    static final String NAMES =
            "unnest(?::int[], ?::text[], ?::text[]) AS touched (lane, aggregate_type, aggregate_id)";

    /** An array of rows that are still there, {@code bigint[]} of their ids: also of those whose names are no text. */
    static final String ROWS =
            "(SELECT DISTINCT lane, aggregate_type, aggregate_id FROM SCHEMA.outbox_failure WHERE id = ANY (?)) AS touched";

    private PostgresAggregateOrder() {}

    /**
     * Lets the first row of each aggregate be tried now if it has waited until here: what is needed after rows were
     * deleted. Costs one look into an index for each aggregate, however many of its events wait: compared twice and not by
     * equality, so that no plan walks the primary key past other aggregates to find the first.
     *
     * @param schema of the outbox, a plain name
     * @param touched {@link #NAMES} or {@link #ROWS}
     * @return the statement
     */
    static String moveUp(String schema, String touched) {
        return """
            UPDATE SCHEMA.outbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()
            WHERE state = 'waiting' AND id = ANY (ARRAY (
                SELECT (SELECT f.id FROM SCHEMA.outbox_failure f
                        WHERE f.blocking AND f.lane = touched.lane AND f.aggregate_type = touched.aggregate_type
                          AND f.aggregate_id >= touched.aggregate_id AND f.aggregate_id <= touched.aggregate_id
                        ORDER BY f.aggregate_id, f.id LIMIT 1)
                FROM TOUCHED))
            """.replace("TOUCHED", touched).replace("SCHEMA", schema);
    }

    /**
     * Lets every row that is tried by itself behind the first of its aggregate wait: what is needed, before {@link #moveUp},
     * after rows were put back in front of others, or failed again. Rows that wait already are not read for it.
     *
     * @param schema of the outbox, a plain name
     * @param touched {@link #NAMES} or {@link #ROWS}
     * @return the statement
     */
    static String holdBack(String schema, String touched) {
        return """
            UPDATE SCHEMA.outbox_failure SET state = 'waiting', next_attempt_at = NULL
            WHERE next_attempt_at IS NOT NULL AND id = ANY (ARRAY (
                SELECT later.id
                FROM TOUCHED
                JOIN SCHEMA.outbox_failure later USING (lane, aggregate_type, aggregate_id)
                WHERE later.state <> 'waiting' AND later.next_attempt_at IS NOT NULL AND EXISTS (
                    SELECT FROM SCHEMA.outbox_failure first
                    WHERE first.blocking AND first.lane = later.lane AND first.aggregate_type = later.aggregate_type
                      AND first.aggregate_id = later.aggregate_id AND first.id < later.id)))
            """.replace("TOUCHED", touched).replace("SCHEMA", schema);
    }
}
