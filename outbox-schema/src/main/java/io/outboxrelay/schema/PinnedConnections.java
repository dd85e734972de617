package io.outboxrelay.schema;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Set;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * The connections of a data source with a {@link Pin} on them. Flyway puts the schema of its history table in front of
 * the search path, where functions and operators of strangers may lie; so the setting is made again before each
 * statement, whoever makes the statement. A closed connection goes back to its pool with the value that it came with.
 *
 * <p>A proxy, since a connection has more than fifty methods, and six of them matter here.
 *
 * @param connections where they come from
 * @param pin what is set on each
 */
record PinnedConnections(DataSource connections, Pin pin) implements DataSource {

    /** After these a statement can be sent. */
    private static final Set<String> SPEAK =
            Set.of("createStatement", "prepareStatement", "prepareCall", "getMetaData");

    @Override
    public Connection getConnection() throws SQLException {
        return pinned(connections.getConnection());
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return pinned(connections.getConnection(user, password));
    }

    private Connection pinned(Connection connection) throws SQLException {
        try {
            String before = Query.text(connection, pin.ask());
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            return (Connection) Proxy.newProxyInstance(
                    PinnedConnections.class.getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (proxy, method, arguments) -> call(connection, method, arguments, String.valueOf(before)));
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private Object call(Connection connection, Method method, Object[] arguments, String before) throws Throwable {
        if (SPEAK.contains(method.getName())) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(pin.set());
            }
        } else if (method.getName().equals("close") && !connection.isClosed()) {
            restore(connection, before);
        }
        try {
            return method.invoke(connection, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** A connection that cannot be restored goes back to nobody. */
    private void restore(Connection connection, String before) throws SQLException {
        try {
            boolean manual = !connection.getAutoCommit();
            if (manual) {
                connection.rollback();
            }
            try (PreparedStatement statement = connection.prepareStatement(pin.restore())) {
                statement.setString(1, before);
                statement.execute();
            }
            if (manual) {
                connection.commit();
            }
        } catch (SQLException e) {
            connection.abort(Runnable::run);
            throw e;
        }
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return connections.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        connections.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        connections.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return connections.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return connections.getParentLogger();
    }

    /** Refused: what is behind these connections has no pin. */
    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("These connections cannot be unwrapped");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
