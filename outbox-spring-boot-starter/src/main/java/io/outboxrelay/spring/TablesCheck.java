package io.outboxrelay.spring;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.MissingTableException;
import io.outboxrelay.client.Outbox;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * Says when the application starts that the tables are missing, instead of at the first event. It does not stop the
 * start: somebody may install the tables later, and an application may be tested on a database that cannot have them.
 */
final class TablesCheck implements SmartInitializingSingleton {

    private static final Logger LOG = LoggerFactory.getLogger(TablesCheck.class);

    private final ObjectProvider<Outbox> outboxes;
    private final ObjectProvider<Inbox> inboxes;

    TablesCheck(ObjectProvider<Outbox> outboxes, ObjectProvider<Inbox> inboxes) {
        this.outboxes = outboxes;
        this.inboxes = inboxes;
    }

    /**
     * The tables are installed together. If one of them is visible, the other is there too, and its user need not see
     * it: MariaDB and MySQL show only tables that a user has a right on.
     */
    @Override
    public void afterSingletonsInstantiated() {
        List<Runnable> checks = Stream.concat(
                        outboxes.stream().map(outbox -> (Runnable) outbox::requireTable),
                        inboxes.stream().map(inbox -> (Runnable) inbox::requireTable))
                .toList();
        List<MissingTableException> missing = new ArrayList<>();
        for (Runnable check : checks) {
            try {
                check.run();
            } catch (MissingTableException e) {
                missing.add(e);
            } catch (RuntimeException e) {
                // One wait for a database that is away is enough: a pool may take half a minute.
                LOG.debug("Whether the outbox is installed cannot be found out now", e);
                return;
            }
        }
        if (!missing.isEmpty() && missing.size() == checks.size()) {
            LOG.error(
                    "No event can be published or consumed: {}", missing.get(0).getMessage());
        }
    }
}
