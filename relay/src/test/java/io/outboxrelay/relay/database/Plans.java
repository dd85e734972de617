package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.testing.OutboxDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** How PostgreSQL executes the statements of an act on a connection like a lane's, and how much it reads for them. */
final class Plans {

    private static final Pattern HITS = Pattern.compile("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?");

    private final OutboxDatabase database;
    private final int maxEventBytes;

    Plans(OutboxDatabase database, int maxEventBytes) {
        this.database = database;
        this.maxEventBytes = maxEventBytes;
    }

    /** The plans of all prepared statements, as they were executed with their parameters; their changes are undone. */
    String of(Consumer<PostgresOutbox> act) throws SQLException {
        try (Connection connection = database.database().dataSource().getConnection()) {
            connection.setAutoCommit(false);
            try (Statement session = connection.createStatement()) {
                session.execute(PostgresSession.LANE);
            }
            StringBuilder plan = new StringBuilder();
            SingleConnectionDataSource explained = new SingleConnectionDataSource(explaining(connection, plan), true);
            act.accept(new PostgresOutbox("public", explained, explained, maxEventBytes, false));
            connection.rollback();
            assertThat(plan)
                    .as("an act that prepares no statement proves nothing")
                    .isNotEmpty();
            return plan.toString();
        }
    }

    private static Connection explaining(Connection connection, StringBuilder plan) {
        return proxy(Connection.class, (method, arguments) -> {
            Object made = method.invoke(connection, arguments);
            return method.getName().equals("prepareStatement")
                    ? explaining(connection, (PreparedStatement) made, (String) arguments[0], plan)
                    : made;
        });
    }

    /** Binds every parameter twice, and explains the statement before it is executed. */
    private static PreparedStatement explaining(
            Connection connection, PreparedStatement statement, String sql, StringBuilder plan) throws SQLException {
        PreparedStatement explain =
                connection.prepareStatement("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + sql);
        return proxy(PreparedStatement.class, (method, arguments) -> {
            if (method.getName().startsWith("set") && arguments.length > 1) {
                method.invoke(explain, arguments);
            } else if (method.getName().startsWith("execute")) {
                Savepoint before = connection.setSavepoint();
                try (ResultSet lines = explain.executeQuery()) {
                    while (lines.next()) {
                        plan.append(lines.getString(1)).append('\n');
                    }
                }
                connection.rollback(before);
            }
            return method.invoke(statement, arguments);
        });
    }

    private interface Call {
        Object on(Method method, Object[] arguments) throws SQLException, ReflectiveOperationException;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                Plans.class.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    try {
                        return call.on(method, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** Number of blocks of tables and indexes that the whole plan of the first statement has read, cached or not. */
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
