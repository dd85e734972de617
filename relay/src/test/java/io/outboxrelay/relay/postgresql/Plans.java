package io.outboxrelay.relay.postgresql;

import io.outboxrelay.relay.testing.OutboxDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How PostgreSQL carries out a statement on a connection like a lane's, and how much it reads for it. */
final class Plans {

    private static final Pattern HITS = Pattern.compile("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?");

    private final OutboxDatabase database;

    Plans(OutboxDatabase database) {
        this.database = database;
    }

    /** Gives a statement its parameters. */
    interface Binding {
        void on(PreparedStatement statement) throws SQLException;
    }

    /** The plan as it was executed, without its changes. */
    String of(String sql, Binding binding) throws SQLException {
        try (Connection connection = database.database().dataSource().getConnection()) {
            connection.setAutoCommit(false);
            try (Statement session = connection.createStatement()) {
                session.execute(PostgresSession.LANE);
            }
            StringBuilder plan = new StringBuilder();
            try (PreparedStatement explain =
                    connection.prepareStatement("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + sql)) {
                binding.on(explain);
                try (ResultSet lines = explain.executeQuery()) {
                    while (lines.next()) {
                        plan.append(lines.getString(1)).append('\n');
                    }
                }
            }
            connection.rollback();
            return plan.toString();
        }
    }

    /** Number of blocks of tables and indexes that the whole plan has read, cached or not. */
    static long blocks(String plan) {
        Matcher top = HITS.matcher(plan);
        if (!top.find()) {
            return 0;
        }
        return number(top.group(1)) + number(top.group(2));
    }

    private static long number(String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }
}
