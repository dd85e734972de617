package io.outboxrelay.client;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.outboxrelay.client.Database.Row;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Writes events into the outbox table, in the caller's Spring transaction. Safe for use by many threads.
 *
 * <p>If the transaction commits, a relay publishes the events, those of one aggregate in the order in which they were
 * written; if it rolls back, nobody hears of them. Nothing here talks to a broker. The database user needs no more
 * rights than the role {@code outbox_writer} has.
 */
public final class Outbox {

    /** Counting more would read as much of the table as a relay does. */
    private static final int MOST_COUNTED = 10_000;

    private final DataSource dataSource;
    private final String schema;
    private final JdbcTemplate jdbc;
    private final DatabaseOfSource database;
    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private final TraceHeaders trace = TraceHeaders.ofClassPath(Outbox.class.getClassLoader());

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
        this.schema = schema;
        this.jdbc = new JdbcTemplate(dataSource);
        this.database = new DatabaseOfSource(List.of("outbox"), schema);
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
     * @throws MissingTableException if there is no outbox; says how to install it
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
     * @throws MissingTableException if there is no outbox; says how to install it
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

    /** {@return the data source on whose transactions it writes} */
    public DataSource dataSource() {
        return dataSource;
    }

    /** {@return the schema of the tables; on MariaDB and MySQL {@code public} stands for the connection's database} */
    public String schema() {
        return schema;
    }

    /**
     * Checks that the table is there, by the driver's metadata, on a connection of its own or of the caller's
     * transaction. Call it at start, so that nobody finds out at the first event.
     *
     * @throws MissingTableException if there is no outbox; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database is away
     */
    public void requireTable() {
        jdbc.execute((ConnectionCallback<Boolean>) connection -> {
            database.requireTables(connection);
            return true;
        });
    }

    /**
     * What is not yet published. Reads up to 10,000 rows, and as many dead ones as the database still keeps before and
     * between them, so do not ask at every event. The database user needs the right to read the table, which the role
     * {@code outbox_writer} does not have.
     *
     * @return the number and the age of the oldest
     * @throws org.springframework.dao.DataAccessException if the database refuses, is away, or takes longer than two
     *     seconds
     */
    public Backlog backlog() {
        return Objects.requireNonNull(jdbc.execute((ConnectionCallback<Backlog>)
                connection -> database.run(connection, sql -> sql.backlog(connection, MOST_COUNTED))));
    }

    private Row row(OutboxEvent event) {
        return new Row(idOf(event), event, HeadersJson.write(trace.addTo(event.headers())));
    }

    private UUID idOf(OutboxEvent event) {
        UUID id = event.id();
        return id != null ? id : ids.generate();
    }

    private boolean add(Connection connection, List<Row> rows) throws SQLException {
        return database.run(connection, sql -> {
            sql.add(connection, rows);
            return true;
        });
    }
}
