package io.outboxrelay.relay.operations;

import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** Looks into a source's database as it is now. It needs no more than the rights of the role {@code outbox_relay}. */
final class StatusReader {

    /** Counting a backlog of millions takes seconds: 300,000 rows a second were measured. */
    private static final int STATEMENT_TIMEOUT_SECONDS = 60;

    private final SourceSettings source;

    StatusReader(SourceSettings source) {
        this.source = source;
    }

    /** What the database shows; a database that does not answer is an answer too. */
    SourceStatus read() {
        try (Connection connection = DirectConnections.to(source.url(), source.user(), source.password())
                .getConnection()) {
            return read(connection);
        } catch (SQLException e) {
            return SourceStatus.unreachable(source.name(), "The database does not answer: " + e.getMessage());
        }
    }

    private SourceStatus read(Connection connection) throws SQLException {
        OptionalInt version =
                OutboxSchema.defaults().withSchema(source.schema()).version(connection);
        if (version.isEmpty()) {
            return SourceStatus.notUsable(
                    source.name(),
                    null,
                    "There is no outbox in the schema %s. Install it by the command migrate."
                            .formatted(source.schema()));
        }
        if (version.getAsInt() < OutboxSchema.REQUIRED_VERSION) {
            return SourceStatus.notUsable(
                    source.name(),
                    version.getAsInt(),
                    "The outbox has version %d, this relay needs %d. Bring it up to date by the command migrate."
                            .formatted(version.getAsInt(), OutboxSchema.REQUIRED_VERSION));
        }
        JdbcTemplate database = new JdbcTemplate(new SingleConnectionDataSource(connection, true));
        database.setQueryTimeout(STATEMENT_TIMEOUT_SECONDS);
        try {
            return read(database, version.getAsInt());
        } catch (DataAccessException e) {
            String cause = String.valueOf(e.getMostSpecificCause().getMessage());
            return SourceStatus.notUsable(source.name(), version.getAsInt(), "The outbox cannot be read: " + cause);
        }
    }

    private SourceStatus read(JdbcTemplate database, int version) {
        List<Double> lags = new ArrayList<>();
        List<SourceStatus.Lane> lanes = database.query("""
                SELECT lane, owner, epoch, coalesce(events, 0) AS events,
                       coalesce(greatest(0, extract(epoch FROM lease_until - clock_timestamp())), 0) AS lease_seconds,
                       coalesce(greatest(0, extract(epoch FROM clock_timestamp() - oldest)), 0) AS lag_seconds
                  FROM %1$s.outbox_lane
                  LEFT JOIN (SELECT lane, count(*) AS events, min(occurred_at) AS oldest
                               FROM %1$s.outbox GROUP BY lane) backlog USING (lane)
                 ORDER BY lane
                """.formatted(source.schema()), (row, number) -> {
            lags.add(row.getDouble("lag_seconds"));
            return lane(row);
        });
        List<String> instances = database.queryForList("""
                SELECT instance FROM %s.outbox_instance WHERE alive_until > clock_timestamp() ORDER BY instance
                """.formatted(source.schema()), String.class);
        double lag = lags.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        return new SourceStatus(
                source.name(), true, null, version, lag, lanes, instances, failures(database), pauses(database));
    }

    private Map<String, Long> failures(JdbcTemplate database) {
        Map<String, Long> failures = new TreeMap<>();
        database.query(
                "SELECT state, count(*) AS events FROM %s.outbox_failure GROUP BY state".formatted(source.schema()),
                row -> {
                    failures.put(row.getString("state"), row.getLong("events"));
                });
        return failures;
    }

    private List<SourceStatus.Pause> pauses(JdbcTemplate database) {
        return database.query(
                """
                SELECT aggregate_type, event_type, paused_by, reason,
                       extract(epoch FROM clock_timestamp() - paused_at) AS paused_seconds
                  FROM %s.outbox_pause ORDER BY aggregate_type, event_type
                """.formatted(source.schema()),
                (row, number) -> new SourceStatus.Pause(
                        row.getString("aggregate_type"),
                        row.getString("event_type"),
                        row.getString("paused_by"),
                        row.getDouble("paused_seconds"),
                        row.getString("reason")));
    }

    private static SourceStatus.Lane lane(ResultSet row) throws SQLException {
        return new SourceStatus.Lane(
                row.getInt("lane"),
                row.getString("owner"),
                row.getLong("epoch"),
                row.getDouble("lease_seconds"),
                row.getLong("events"));
    }
}
