package io.outboxrelay.testservers;

import com.mysql.cj.jdbc.JdbcConnection;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the sessions of closed connections for the next callers, because to log in takes longer than most questions of
 * a test. A session that was closed has no transaction, lock or setting left over at the server. One that does not
 * answer is given up, and if none is left the caller meets the server as with a new connection. Any thread may call it.
 */
final class KeptSessions implements DataSource, AutoCloseable {
    private static final int ANSWER_LIMIT_SECONDS = 1;

    private final DatabaseKind kind;
    private final DataSource server;
    private final Deque<Connection> idle = new ArrayDeque<>();
    private boolean closed;

    KeptSessions(DatabaseKind kind, DataSource server) {
        this.kind = kind;
        this.server = server;
    }

    @Override
    public Connection getConnection() throws SQLException {
        for (Connection kept = take(); kept != null; kept = take()) {
            if (kept.isValid(ANSWER_LIMIT_SECONDS)) {
                return lent(kept);
            }
            end(kept);
        }
        return lent(server.getConnection());
    }

    private synchronized @Nullable Connection take() {
        return idle.poll();
    }

    private Connection lent(Connection session) {
        boolean[] given = {false};
        return (Connection) Proxy.newProxyInstance(
                KeptSessions.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "close" -> {
                            if (!given[0]) {
                                given[0] = true;
                                giveBack(session);
                            }
                            return null;
                        }
                        case "isClosed" -> {
                            return given[0] || session.isClosed();
                        }
                        case "toString", "hashCode" -> {
                            return invoke(session, method, arguments);
                        }
                        case "equals" -> {
                            return proxy == arguments[0];
                        }
                        default -> {
                            if (given[0]) {
                                throw new SQLException("The connection is closed");
                            }
                            return invoke(session, method, arguments);
                        }
                    }
                });
    }

    private static Object invoke(Connection session, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(session, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private void giveBack(Connection session) {
        if (!isReset(session) || !keep(session)) {
            end(session);
        }
    }

    private synchronized boolean keep(Connection session) {
        if (!closed) {
            idle.push(session);
        }
        return !closed;
    }

    private boolean isReset(Connection session) {
        try {
            if (session.isClosed()) {
                return false;
            }
            if (!session.getAutoCommit()) {
                session.rollback();
                session.setAutoCommit(true);
            }
            switch (kind) {
                case POSTGRESQL -> {
                    try (Statement statement = session.createStatement()) {
                        statement.execute("DISCARD ALL");
                    }
                }
                case MARIADB ->
                    session.unwrap(org.mariadb.jdbc.Connection.class).reset();
                case MYSQL -> session.unwrap(JdbcConnection.class).resetServerState();
            }
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    private static void end(Connection session) {
        try {
            session.close();
        } catch (SQLException e) {
            // the server has ended it
        }
    }

    /** Ends all sessions, those that are still lent when they are given back. */
    @Override
    public void close() {
        Deque<Connection> last;
        synchronized (this) {
            closed = true;
            last = new ArrayDeque<>(idle);
            idle.clear();
        }
        last.forEach(KeptSessions::end);
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("all sessions have one user");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() throws SQLException {
        return server.getLogWriter();
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter writer) throws SQLException {
        server.setLogWriter(writer);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        server.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return server.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return server.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return server.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return server.isWrapperFor(type);
    }
}
