package io.outboxrelay.relay.operations;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.eclipse.jetty.io.Connection;

/**
 * Keeps the number of connections small, whoever opens them: one above the bound takes the place of the oldest. So clients
 * that are slow, on purpose or not, never keep a health check out, which needs a few milliseconds.
 */
final class ConnectionBound implements Connection.Listener {

    private final int most;
    private final Set<Connection> open = new LinkedHashSet<>();

    /** Keeps at most this many connections open side by side. */
    ConnectionBound(int most) {
        this.most = most;
    }

    @Override
    public void onOpened(Connection connection) {
        Connection oldest = null;
        synchronized (open) {
            open.add(connection);
            if (open.size() > most) {
                Iterator<Connection> inOrder = open.iterator();
                oldest = inOrder.next();
                inOrder.remove();
            }
        }
        if (oldest != null) {
            oldest.getEndPoint().close();
        }
    }

    @Override
    public void onClosed(Connection connection) {
        synchronized (open) {
            open.remove(connection);
        }
    }
}
