package io.outboxrelay.relay.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A kind of database: how one is reached, and who knows its SQL. Holds no state. */
public interface Dialect {

    /**
     * How to connect.
     *
     * @param url as it was configured
     * @param application shown by the server as the name of the connection's program, where it shows one
     * @param connecting how long connecting may take, rounded down to seconds, but at least one
     * @param statementTimeout longest that a statement may take, after which a server that is still silent is given up;
     *     null to wait for as long as it takes
     * @return what the driver is to be given
     */
    Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout);

    /**
     * What makes a new connection fit for its use.
     *
     * @param use what it is for
     * @param schema database schema of the outbox
     * @param statementTimeout longest that a statement may take, enforced by the server
     * @return it, for the connections of one pool
     */
    Session session(Session.Use use, String schema, Duration statementTimeout);

    /**
     * The statements of a running relay.
     *
     * @param source name of the source, for metrics
     * @param schema database schema of the outbox
     * @param lanes connections for claiming and settling
     * @param housekeeping connections for everything else
     * @param maxEventBytes larger payloads are not read
     * @param retaining whether what was published is kept in {@code outbox_published} instead of being deleted
     * @param meters where the time of claims and settling is recorded
     * @return them; nothing is asked of the database yet
     * @throws IllegalArgumentException if the schema is not a plain lower-case name
     */
    OutboxStore outbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            MeterRegistry meters);

    /**
     * The statements of people's commands.
     *
     * @param schema database schema of the outbox
     * @param connections each transaction takes one
     * @return them; nothing is asked of the database yet
     * @throws IllegalArgumentException if the schema is not a plain lower-case name
     */
    Failures failures(String schema, DataSource connections);

    /**
     * What was published and is retained.
     *
     * @param schema database schema of the outbox
     * @param connections each statement takes one
     * @return it; nothing is asked of the database yet
     */
    Published published(String schema, DataSource connections);

    /**
     * Lets those who write wake a relay that sleeps.
     *
     * @param schema database schema of the outbox
     * @param connections one is taken and kept
     * @return it; nothing is asked of the database yet; null where this kind of database has no such thing
     */
    @Nullable
    Wakeup wakeup(String schema, DataSource connections);

    /**
     * Looks at everything at once. Needs no more than the rights of the role {@code outbox_relay}.
     *
     * @param schema database schema of the outbox
     * @param connections where to take one
     * @return what there is
     * @throws org.springframework.dao.DataAccessException if the database does not answer
     */
    Overview overview(String schema, DataSource connections);

    /**
     * What a JDBC driver is given.
     *
     * @param url in the words of the driver
     * @param properties besides user and password
     */
    record Access(String url, Map<String, String> properties) {}
}
