package io.outboxrelay.samples.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** Holds rows of a service's database: the service, once it wants them, stands in the middle of its transaction. */
final class RowLock implements AutoCloseable {

    private final Home home;
    private final Connection holder;

    private RowLock(Home home, Connection holder) {
        this.home = home;
        this.holder = holder;
    }

    /** Takes all rows of a table that have the value there. */
    static RowLock of(Home home, String table, String column, String value) {
        try {
            Connection holder = home.database().dataSource().getConnection();
            holder.setAutoCommit(false);
            String sql = "SELECT * FROM %s WHERE %s = ? FOR UPDATE".formatted(table, column);
            try (PreparedStatement statement = holder.prepareStatement(sql)) {
                statement.setString(1, value);
                statement.executeQuery();
            }
            return new RowLock(home, holder);
        } catch (SQLException e) {
            throw new IllegalStateException("The rows of %s could not be locked".formatted(table), e);
        }
    }

    /** Whether the service waits for a lock. */
    boolean areWaitedFor() {
        String sql = home.isMariaDb()
                ? """
                SELECT count(*) FROM information_schema.innodb_trx
                JOIN information_schema.processlist ON processlist.id = trx_mysql_thread_id
                WHERE trx_state = 'LOCK WAIT' AND processlist.user = :user
                """
                : "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = :user";
        return home.admin()
                        .sql(sql)
                        .param("user", home.serviceUser())
                        .query(Long.class)
                        .single()
                > 0;
    }

    @Override
    public void close() {
        try (holder) {
            holder.rollback();
        } catch (SQLException e) {
            throw new IllegalStateException("The rows could not be let go", e);
        }
    }
}
