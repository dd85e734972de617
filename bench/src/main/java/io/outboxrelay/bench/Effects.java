package io.outboxrelay.bench;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** What a measured consumer does about an event: one INSERT. Any thread may call it. */
final class Effects {

    static final String INSERT = "INSERT INTO outbox_bench.effect (event_id, aggregate_id, number) VALUES (?, ?, ?)";

    private final JdbcTemplate jdbc;
    private final AtomicLong count = new AtomicLong();

    Effects(DataSource database) {
        this.jdbc = new JdbcTemplate(database);
    }

    /** Inserts the row, in the calling thread's transaction. */
    void add(UUID event, String aggregate, byte[] payload) {
        jdbc.update(INSERT, event, aggregate, number(payload));
        added();
    }

    /** Counts a row that was inserted by other means. */
    void added() {
        count.incrementAndGet();
    }

    /** How many rows were inserted, rolled back ones included. */
    long count() {
        return count.get();
    }

    /** The number of the event within its aggregate. */
    static long number(byte[] payload) {
        return ByteBuffer.wrap(payload).getLong();
    }
}
