package io.outboxrelay.relay.postgresql;

import io.outboxrelay.relay.database.Overview;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** The statements of the status of one outbox. */
final class PostgresOverview {

    /** Counting a backlog of millions takes seconds: 300,000 rows a second were measured. */
    private static final int STATEMENT_TIMEOUT_SECONDS = 60;

    private final String schema;
    private final JdbcTemplate database;

    PostgresOverview(String schema, DataSource connections) {
        this.schema = schema;
        this.database = new JdbcTemplate(connections);
        this.database.setQueryTimeout(STATEMENT_TIMEOUT_SECONDS);
    }

    Overview read() {
        List<Double> lags = new ArrayList<>();
        List<Overview.Lane> lanes = database.query("""
                SELECT lane, owner, epoch, coalesce(events, 0) AS events,
                       coalesce(greatest(0, extract(epoch FROM lease_until - clock_timestamp())), 0) AS lease_seconds,
                       coalesce(greatest(0, extract(epoch FROM clock_timestamp() - oldest)), 0) AS lag_seconds
                  FROM %1$s.outbox_lane
                  LEFT JOIN (SELECT lane, count(*) AS events,
                                    min(occurred_at) FILTER (WHERE isfinite(occurred_at)) AS oldest
                               FROM %1$s.outbox GROUP BY lane) backlog USING (lane)
                 ORDER BY lane
                """.formatted(schema), (row, number) -> {
            lags.add(row.getDouble("lag_seconds"));
            return lane(row);
        });
        List<String> instances = database.queryForList("""
                SELECT instance FROM %s.outbox_instance WHERE alive_until > clock_timestamp() ORDER BY instance
                """.formatted(schema), String.class);
        double lag = lags.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        return new Overview(lag, lanes, instances, failures(), pauses());
    }

    private Map<String, Long> failures() {
        Map<String, Long> failures = new TreeMap<>();
        database.query(
                "SELECT state, count(*) AS events FROM %s.outbox_failure GROUP BY state".formatted(schema), row -> {
                    failures.put(row.getString("state"), row.getLong("events"));
                });
        return failures;
    }

    private List<Overview.Pause> pauses() {
        return database.query(
                """
                SELECT aggregate_type, event_type, paused_by, reason,
                       extract(epoch FROM clock_timestamp() - paused_at) AS paused_seconds
                  FROM %s.outbox_pause ORDER BY aggregate_type, event_type
                """.formatted(schema),
                (row, number) -> new Overview.Pause(
                        row.getString("aggregate_type"),
                        row.getString("event_type"),
                        row.getString("paused_by"),
                        row.getDouble("paused_seconds"),
                        row.getString("reason")));
    }

    private static Overview.Lane lane(ResultSet row) throws SQLException {
        return new Overview.Lane(
                row.getInt("lane"),
                row.getString("owner"),
                row.getLong("epoch"),
                row.getDouble("lease_seconds"),
                row.getLong("events"));
    }
}
