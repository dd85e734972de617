package io.outboxrelay.bench;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Stream;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The tables of a service in the schema of {@link BenchOutbox}: {@code business}, which every transaction writes, and
 * {@code plain}, which has the columns of the outbox and no constraint, no index and no generated column.
 */
final class WriterTables {

    private static final String BUSINESS = "INSERT INTO outbox_bench.business (customer, total) VALUES (?, ?)";
    private static final String EVENT = """
            INSERT INTO outbox_bench.%s
                (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES (?, 'Order', ?, 'Placed', ?, 'application/json', %s)""";

    private final Servers servers;
    private final boolean isInnoDb;
    private final int aggregates;
    private final byte[] payload;
    private final int eventsOfSeveral;

    /** Commits once, on the connection that it was made for. */
    interface Transaction {
        void run() throws SQLException;
    }

    /**
     * Creates the tables.
     *
     * @param load its payload and its number of aggregates
     * @param eventsOfSeveral how many events a transaction writes that writes several
     */
    WriterTables(Servers servers, Load load, int eventsOfSeveral) throws SQLException {
        this.servers = servers;
        this.isInnoDb = servers.kind().isInnoDb();
        this.aggregates = load.aggregates();
        this.payload = ("\"" + "x".repeat(load.payloadBytes() - 2) + "\"").getBytes(StandardCharsets.UTF_8);
        this.eventsOfSeveral = eventsOfSeveral;
        execute(isInnoDb ? innoDb() : postgres());
    }

    /** Empties them, so that every variant begins with the same. */
    void clear() throws SQLException {
        execute(List.of("TRUNCATE TABLE outbox_bench.business", "TRUNCATE TABLE outbox_bench.plain"));
    }

    /** A new connection that prepares statements at the server and commits when it is told to. */
    Connection connect() throws SQLException {
        Connection connection = servers.preparingDataSource().getConnection();
        connection.setAutoCommit(false);
        return connection;
    }

    /** The transaction of a variant, for one thread. */
    Transaction on(Connection connection, WriterVariant variant, SplittableRandom random) throws SQLException {
        PreparedStatement business = connection.prepareStatement(BUSINESS);
        int events = variant.writesSeveral() ? eventsOfSeveral : 1;
        return switch (variant.form()) {
            case PLAIN, OUTBOX -> {
                PreparedStatement insert = connection.prepareStatement(EVENT.formatted(
                        variant.form() == WriterVariant.Form.PLAIN ? "plain" : "outbox",
                        isInnoDb ? "'{}'" : "'{}'::jsonb"));
                NoArgGenerator ids = Generators.timeBasedEpochGenerator();
                yield () -> {
                    insertBusiness(business, random);
                    for (int event = 0; event < events; event++) {
                        insertEvent(insert, ids.generate(), random);
                    }
                    connection.commit();
                };
            }
            case CLIENT ->
                byClient(connection, business, random, outbox -> {
                    for (int event = 0; event < events; event++) {
                        outbox.publish(event(random));
                    }
                });
            case CLIENT_BATCH ->
                byClient(
                        connection,
                        business,
                        random,
                        outbox -> outbox.publish(Stream.generate(() -> event(random))
                                .limit(events)
                                .toList()));
        };
    }

    private interface Publishing {
        void by(Outbox outbox);
    }

    private static Transaction byClient(
            Connection connection, PreparedStatement business, SplittableRandom random, Publishing publishing) {
        SingleConnectionDataSource source = new SingleConnectionDataSource(connection, true);
        DataSourceTransactionManager transactions = new DataSourceTransactionManager(source);
        Outbox outbox = new Outbox(source, transactions, BenchOutbox.SCHEMA);
        TransactionTemplate transaction = new TransactionTemplate(transactions);
        return () -> transaction.executeWithoutResult(status -> {
            try {
                insertBusiness(business, random);
            } catch (SQLException e) {
                throw new IllegalStateException("The service cannot write: " + e.getMessage(), e);
            }
            publishing.by(outbox);
        });
    }

    private static void insertBusiness(PreparedStatement insert, SplittableRandom random) throws SQLException {
        insert.setString(1, "customer-" + random.nextInt(1_000));
        insert.setLong(2, random.nextLong(100_000));
        insert.executeUpdate();
    }

    private void insertEvent(PreparedStatement insert, UUID id, SplittableRandom random) throws SQLException {
        if (isInnoDb) {
            insert.setBytes(
                    1,
                    ByteBuffer.allocate(2 * Long.BYTES)
                            .putLong(id.getMostSignificantBits())
                            .putLong(id.getLeastSignificantBits())
                            .array());
        } else {
            insert.setObject(1, id);
        }
        insert.setString(2, aggregate(random));
        insert.setBytes(3, payload);
        insert.executeUpdate();
    }

    private OutboxEvent event(SplittableRandom random) {
        return OutboxEvent.eventType("Placed")
                .aggregateType("Order")
                .aggregateId(aggregate(random))
                .payload(payload, "application/json");
    }

    private String aggregate(SplittableRandom random) {
        return "order-" + random.nextInt(aggregates);
    }

    private static List<String> postgres() {
        return List.of("""
                CREATE TABLE outbox_bench.business (
                    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    customer text   NOT NULL,
                    total    bigint NOT NULL)
                """, """
                CREATE TABLE outbox_bench.plain (
                    event_id       uuid,
                    aggregate_type text,
                    aggregate_id   text,
                    event_type     text,
                    payload        bytea,
                    content_type   text,
                    headers        jsonb,
                    occurred_at    timestamptz DEFAULT clock_timestamp())
                """);
    }

    private static List<String> innoDb() {
        return List.of("""
                CREATE TABLE outbox_bench.business (
                    id       bigint       NOT NULL AUTO_INCREMENT PRIMARY KEY,
                    customer varchar(255) NOT NULL,
                    total    bigint       NOT NULL) ENGINE = InnoDB
                """, """
                CREATE TABLE outbox_bench.plain (
                    event_id       binary(16),
                    aggregate_type varchar(256),
                    aggregate_id   varchar(1025),
                    event_type     varchar(256),
                    payload        longblob,
                    content_type   varchar(256),
                    headers        longtext,
                    occurred_at    datetime(6) DEFAULT (utc_timestamp(6))) ENGINE = InnoDB
                """);
    }

    private void execute(List<String> statements) throws SQLException {
        try (Connection connection = servers.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
