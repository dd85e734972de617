package io.outboxrelay.relay.mariadb;

import io.outboxrelay.relay.database.Overview;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** The statements of the status of one outbox. */
final class MariaDbOverview {

    private static final int STATEMENT_TIMEOUT_SECONDS = 60;
    private static final double MICROS = 1e6;

    private final String prefix;
    private final JdbcTemplate database;

    MariaDbOverview(String schema, DataSource connections) {
        this.prefix = Sql.prefix(schema);
        this.database = new JdbcTemplate(connections);
        this.database.setQueryTimeout(STATEMENT_TIMEOUT_SECONDS);
    }

    Overview read() {
        List<Double> lags = new ArrayList<>();
        List<Overview.Lane> lanes = database.query(in("""
                SELECT l.lane, l.owner, l.epoch, coalesce(events, 0) AS events,
                       coalesce(greatest(0, timestampdiff(MICROSECOND, utc_timestamp(6), lease_until)), 0) AS lease,
                       coalesce(greatest(0, lag_micros), 0) AS lag_micros
                  FROM SCHEMA.outbox_lane l
                  LEFT JOIN (SELECT lane, count(*) AS events,
                                    max(timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6))) AS lag_micros
                               FROM SCHEMA.outbox GROUP BY lane) backlog ON backlog.lane = l.lane
                 ORDER BY l.lane
                """), (row, n) -> {
            lags.add(row.getLong("lag_micros") / MICROS);
            return new Overview.Lane(
                    row.getInt("lane"),
                    row.getString("owner"),
                    row.getLong("epoch"),
                    row.getLong("lease") / MICROS,
                    row.getLong("events"));
        });
        List<String> instances = database.queryForList(
                in(
                        "SELECT instance FROM SCHEMA.outbox_instance WHERE alive_until > utc_timestamp(6) ORDER BY instance"),
                String.class);
        double lag = lags.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        return new Overview(lag, lanes, instances, failures(), pauses());
    }

    private Map<String, Long> failures() {
        Map<String, Long> failures = new TreeMap<>();
        database.query(in("SELECT state, count(*) AS events FROM SCHEMA.outbox_failure GROUP BY state"), row -> {
            failures.put(row.getString("state"), row.getLong("events"));
        });
        return failures;
    }

    private List<Overview.Pause> pauses() {
        return database.query(
                in("""
                SELECT aggregate_type, event_type, paused_by, reason,
                       timestampdiff(MICROSECOND, paused_at, utc_timestamp(6)) AS paused_micros
                  FROM SCHEMA.outbox_pause ORDER BY aggregate_type, event_type
                """),
                (row, number) -> new Overview.Pause(
                        row.getString("aggregate_type"),
                        row.getString("event_type"),
                        row.getString("paused_by"),
                        row.getLong("paused_micros") / MICROS,
                        row.getString("reason")));
    }

    private String in(String statement) {
        return statement.replace("SCHEMA.", prefix);
    }
}
