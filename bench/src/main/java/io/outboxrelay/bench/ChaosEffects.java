package io.outboxrelay.bench;

import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.ServiceEvent;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * The consumers' database in a chaos run: their inbox, and a row for each effect. Nothing in the table prevents a
 * second effect or a wrong order, and nothing waits for another effect. Any thread and process may use it.
 */
record ChaosEffects(JdbcTemplate jdbc) {

    ChaosEffects(DataSource database) {
        this(new JdbcTemplate(database));
    }

    /**
     * How far the consumers are.
     *
     * @param effects rows
     * @param stored events that were given up, or wait behind one
     */
    record Progress(long effects, long stored) {}

    /** Creates the tables. */
    void install(DataSource database) {
        OutboxSchema.install(database);
        jdbc.execute("""
                CREATE TABLE effect (
                    position  bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
                    event_id  uuid   NOT NULL,
                    source    text   NOT NULL,
                    aggregate int    NOT NULL,
                    sequence  bigint NOT NULL,
                    before    bigint NOT NULL,
                    instance  text   NOT NULL)
                """);
        jdbc.execute("CREATE INDEX effect_aggregate ON effect (source, aggregate, sequence)");
    }

    /** The effect of an event, in the calling thread's transaction. */
    void add(ReceivedEvent event, String instance) {
        long sequence = Long.parseLong(new String(event.payload(), StandardCharsets.UTF_8));
        add(
                event.aggregateType(),
                new ServiceEvent(event.id(), Integer.parseInt(event.aggregateId()), sequence),
                instance);
    }

    /** The same for an event of a source. */
    void add(String source, ServiceEvent event, String instance) {
        jdbc.update("""
                INSERT INTO effect (event_id, source, aggregate, sequence, before, instance)
                SELECT ?, ?, ?, ?, coalesce(max(sequence), 0), ? FROM effect WHERE source = ? AND aggregate = ?
                """, event.id(), source, event.aggregate(), event.sequence(), instance, source, event.aggregate());
    }

    /** The effects of a source's events, as they were inserted. */
    List<ChaosEffect> of(String source) {
        return jdbc.query(
                "SELECT event_id, aggregate, sequence, before, instance FROM effect WHERE source = ? ORDER BY position",
                (row, number) -> new ChaosEffect(
                        new ServiceEvent(row.getObject(1, UUID.class), row.getInt(2), row.getLong(3)),
                        row.getLong(4),
                        row.getString(5)),
                source);
    }

    Progress progress() {
        return new Progress(count("effect"), count("inbox_failure"));
    }

    /** How many instances have signed in, which they do after they have declared their queues. */
    long instances() {
        return count("inbox_instance");
    }

    private long count(String table) {
        Long rows = jdbc.queryForObject("SELECT count(*) FROM " + table, Long.class);
        return rows == null ? 0 : rows;
    }
}
