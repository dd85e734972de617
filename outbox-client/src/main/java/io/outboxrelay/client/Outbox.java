package io.outboxrelay.client;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.outboxrelay.client.Database.Row;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Writes events into the outbox table, in the caller's Spring transaction. Safe for use by many threads.
 *
 * <p>If the transaction commits, a relay publishes the events, those of one aggregate in the order in which they were
 * written; if it rolls back, nobody hears of them. Nothing here talks to a broker. The database user needs no more
 * rights than the role {@code outbox_writer} has.
 */
public final class Outbox {

    private final DataSource dataSource;
    private final DatabaseOfSource database;
    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private final TraceHeaders trace = TraceHeaders.ofClassPath(Outbox.class.getClassLoader());
    private final HeadersJson json = new HeadersJson();

    /**
     * The outbox in the schema {@code public}, on MariaDB and MySQL in the database that the connections are in.
     *
     * @param dataSource the one that has the table
     * @param transactions begins the callers' transactions on this data source; watched from now on
     */
    public Outbox(DataSource dataSource, PlatformTransactionManager transactions) {
        this(dataSource, transactions, "public");
    }

    /**
     * The outbox in the given schema.
     *
     * @param dataSource the one that has the table
     * @param transactions begins the callers' transactions on this data source; watched from now on
     * @param schema where the tables are installed
     * @throws IllegalArgumentException if the schema is not a lower-case SQL identifier
     */
    public Outbox(DataSource dataSource, PlatformTransactionManager transactions, String schema) {
        this(dataSource, schema);
        watch(transactions);
    }

    /**
     * The outbox in the given schema, for transaction managers that are watched already: see {@link #watch}.
     *
     * @param dataSource the one that has the table
     * @param schema where the tables are installed
     * @throws IllegalArgumentException if the schema is not a lower-case SQL identifier
     */
    public Outbox(DataSource dataSource, String schema) {
        this.dataSource = dataSource;
        this.database = new DatabaseOfSource(schema);
    }

    /**
     * Lets every outbox and inbox know when this manager's transactions begin and end. Spring does not say otherwise
     * whether a transaction has been committed already. The constructors do it, and the starter does it for all that
     * are beans; it is left for an application with several managers on one data source. Doing it twice does no harm.
     *
     * @param transactions the manager; its transactions count that begin after this call
     */
    public static void watch(PlatformTransactionManager transactions) {
        TransactionWatch.over(transactions);
    }

    /**
     * Adds an event to the caller's transaction.
     *
     * @param event what happened
     * @return the event's id: the given one, or a new UUID of version 7
     * @throws IllegalStateException without a transaction on this data source that can still commit what is written;
     *     says why, and nothing is written
     * @throws org.springframework.dao.DataAccessException if the database refuses; the transaction is lost then
     */
    public UUID publish(OutboxEvent event) {
        return publish(List.of(event)).get(0);
    }

    /**
     * Adds events to the caller's transaction, in one statement whatever their number (on MariaDB and MySQL in one for
     * each thousand, or 4 MiB). Their order in the list is the order in which the events of each aggregate are
     * published.
     *
     * @param events what happened, in this order; may be empty
     * @return the events' ids, in the same order
     * @throws IllegalStateException without a transaction on this data source that can still commit what is written;
     *     says why, and nothing is written
     * @throws org.springframework.dao.DataAccessException if the database refuses; the transaction is lost then
     */
    public List<UUID> publish(List<OutboxEvent> events) {
        CallersTransaction transaction = CallersTransaction.on(dataSource);
        if (events.isEmpty()) {
            return List.of();
        }
        List<Row> rows = events.stream().map(this::row).toList();
        transaction.execute(connection -> add(connection, rows));
        return rows.stream().map(Row::id).toList();
    }

    private Row row(OutboxEvent event) {
        return new Row(idOf(event), event, json.write(trace.addTo(event.headers())));
    }

    private UUID idOf(OutboxEvent event) {
        UUID id = event.id();
        return id != null ? id : ids.generate();
    }

    private boolean add(Connection connection, List<Row> rows) throws SQLException {
        database.of(connection).add(connection, rows);
        return true;
    }
}
