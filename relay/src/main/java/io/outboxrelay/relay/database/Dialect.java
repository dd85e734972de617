package io.outboxrelay.relay.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;

/** A kind of database: how to connect to it, and which classes know its SQL. */
public enum Dialect {
    /** PostgreSQL 14 to 18. */
    POSTGRESQL,
    /** MariaDB 10.6 to 11. */
    MARIADB,
    /** MySQL 8 and 9, by MariaDB's driver. */
    MYSQL;

    /** The beginnings of the JDBC URLs of all supported databases. */
    public static final String KNOWN = "jdbc:postgresql:, jdbc:mariadb: or jdbc:mysql:";

    /** How long after the server should have ended a statement a silent connection is given up. */
    static final Duration SILENCE = Duration.ofSeconds(2);

    /**
     * Finds the dialect of a database.
     *
     * @param url JDBC URL
     * @return its dialect; empty when this kind of database is not supported
     */
    public static Optional<Dialect> of(String url) {
        return Arrays.stream(values())
                .filter(dialect -> url.startsWith("jdbc:" + dialect.name().toLowerCase(Locale.ROOT) + ":"))
                .findFirst();
    }

    /**
     * Returns what the driver needs to connect.
     *
     * @param url as configured
     * @param application shown by the server as the name of the connection's program, where it shows one
     * @param connecting longest time to connect, rounded down to seconds, but at least one
     * @param statementTimeout longest time of a statement, after which a silent server is given up; null for no limit
     * @return the driver's URL and properties
     */
    public Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout) {
        return this == POSTGRESQL
                ? PostgresSession.access(url, application, connecting, statementTimeout)
                : MariaDbSession.access(url, application, connecting, statementTimeout);
    }

    /**
     * Returns what prepares a new connection.
     *
     * @param use what the connection is for
     * @param schema database schema of the outbox
     * @param statementTimeout longest time of a statement, enforced by the server
     * @return the session of one pool's connections
     */
    public Session session(Session.Use use, String schema, Duration statementTimeout) {
        return this == POSTGRESQL
                ? new PostgresSession(use, statementTimeout)
                : new MariaDbSession(use, schema, statementTimeout, this == MYSQL);
    }

    /**
     * Returns the store of a running relay. Asks the database nothing yet.
     *
     * @param source name of the source, for metrics
     * @param schema database schema of the outbox
     * @param lanes connections for claiming and settling
     * @param housekeeping connections for everything else
     * @param maxEventBytes larger payloads are not read
     * @param retaining whether published events move to {@code outbox_published} instead of being deleted
     * @param meters where the times of claims and settling are recorded
     * @return the store
     * @throws IllegalArgumentException if the schema is not a plain lower-case name
     */
    public OutboxStore outbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            MeterRegistry meters) {
        OutboxActs sql = this == POSTGRESQL
                ? new PostgresOutbox(schema, lanes, housekeeping, maxEventBytes, retaining)
                : new MariaDbOutbox(source, schema, lanes, housekeeping, maxEventBytes, retaining, this == MYSQL);
        return new OutboxStore(source, schema, lanes, housekeeping, sql, meters);
    }

    /**
     * Returns what commands ask and change. Asks the database nothing yet.
     *
     * @param schema database schema of the outbox
     * @param connections each transaction takes one
     * @return the failures of the outbox
     * @throws IllegalArgumentException if the schema is not a plain lower-case name
     */
    public Failures failures(String schema, DataSource connections) {
        CommandActs sql = commands(schema, connections);
        return new Failures(sql, new CommandTransactions(schema, connections, sql));
    }

    /**
     * Returns what commands ask and change about consumers. Asks the database nothing yet.
     *
     * @param schema database schema of the inbox
     * @param connections each transaction takes one
     * @return the consumers of the inbox
     * @throws IllegalArgumentException if the schema is not a plain lower-case name
     */
    public Consumers consumers(String schema, DataSource connections) {
        CommandActs sql = commands(schema, connections);
        InboxActs inbox =
                this == POSTGRESQL ? new PostgresInbox(schema, connections) : new MariaDbInbox(schema, connections);
        return new Consumers(sql, inbox, new CommandTransactions(schema, connections, sql));
    }

    /**
     * Returns the retained events. Asks the database nothing yet.
     *
     * @param schema database schema of the outbox
     * @param connections each statement takes one
     * @return the retained events of the outbox
     */
    public Published published(String schema, DataSource connections) {
        return new Published(connections, commands(schema, connections));
    }

    /**
     * Returns the histories that were sent to consumers. Asks the database nothing yet.
     *
     * @param schema database schema of the outbox
     * @param connections each statement takes one
     * @return the histories of the outbox
     */
    public SentHistories sentHistories(String schema, DataSource connections) {
        CommandActs sql = commands(schema, connections);
        return new SentHistories(sql, new CommandTransactions(schema, connections, sql), new JdbcTemplate(connections));
    }

    /**
     * Returns what lets writers wake a sleeping relay. Asks the database nothing yet.
     *
     * @param schema database schema of the outbox
     * @param connections one is taken and kept
     * @return the wake-up; null where this kind of database cannot notify
     */
    public @Nullable Wakeup wakeup(String schema, DataSource connections) {
        return this == POSTGRESQL ? new Wakeup(schema, connections) : null;
    }

    /**
     * Reads the state of an outbox. Needs only the rights of the role {@code outbox_relay}.
     *
     * @param schema database schema of the outbox
     * @param connections one is taken
     * @return the state
     * @throws org.springframework.dao.DataAccessException if the database does not answer
     */
    public Overview overview(String schema, DataSource connections) {
        return Overview.read(commands(schema, connections));
    }

    private CommandActs commands(String schema, DataSource connections) {
        return this == POSTGRESQL
                ? new PostgresCommands(schema, connections)
                : new MariaDbCommands(schema, connections, this == MYSQL);
    }

    /** Returns a schema's name if it can be put into SQL as it is. */
    static String plainName(String schema) {
        if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
            throw new IllegalArgumentException("The schema '" + schema
                    + "' is not a plain lower-case name of at most 63 letters, digits and underscores");
        }
        return schema;
    }

    /**
     * What a JDBC driver needs.
     *
     * @param url in the driver's own form
     * @param properties besides user and password
     */
    public record Access(String url, Map<String, String> properties) {}
}
