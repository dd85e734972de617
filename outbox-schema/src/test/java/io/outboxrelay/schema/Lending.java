package io.outboxrelay.schema;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import javax.sql.DataSource;

/** A pool of open connections: closing one gives it back, as it is. */
final class Lending {

    private Lending() {}

    static DataSource these(Connection... connections) {
        Deque<Connection> pool = new ArrayDeque<>(List.of(connections));
        return proxy(DataSource.class, (itself, any, none) -> {
            Connection lent = pool.pop();
            return proxy(Connection.class, (connection, method, arguments) -> {
                if (method.getName().equals("close")) {
                    pool.push(lent);
                    return null;
                }
                return method.invoke(lent, arguments);
            });
        });
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(Lending.class.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
