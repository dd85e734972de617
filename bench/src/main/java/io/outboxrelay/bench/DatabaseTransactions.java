package io.outboxrelay.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** The database server's own count of transactions, to which each question adds one. */
final class DatabaseTransactions implements AutoCloseable {

    private final Connection connection;
    private final String question;

    DatabaseTransactions(Servers servers) throws SQLException {
        connection = servers.dataSource().getConnection();
        question = servers.kind().isInnoDb()
                ? "SHOW GLOBAL STATUS LIKE 'Handler_commit'"
                : "SELECT datname, xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    }

    long count() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(question)) {
            row.next();
            return row.getLong(2);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
