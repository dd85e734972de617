package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Aggregate;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Collections;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What statements and rows of these databases have in common. */
final class Sql {

    private static final int BYTES_OF_AN_ID = 16;

    /**
     * Names a life of the server: which one it is, and the second in which it was started, which {@code uuid_short()} has above
     * the count of its calls. Once in 16 million calls the count spills over, and what is remembered is read once more.
     */
    static final String INCARNATION =
            "concat_ws('/', @@hostname, @@port, @@server_id, @@datadir, (uuid_short() & 0xffffffffffffff) >> 24)";

    private Sql() {}

    /**
     * What stands before the name of a table.
     *
     * @param schema of the outbox; {@code public} is the database that a connection is in
     * @throws IllegalArgumentException if it is not a plain lower-case name
     */
    static String prefix(String schema) {
        if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
            throw new IllegalArgumentException("The schema '" + schema
                    + "' is not a plain lower-case name of at most 63 letters, digits and underscores");
        }
        return schema.equals("public") ? "" : schema + ".";
    }

    /** For people's commands: one that is stopped or loses its database in the middle must not keep a lane from its relay. */
    static String commandLimits(boolean mySql) {
        return "SET innodb_lock_wait_timeout = 10, lock_wait_timeout = 10, "
                + (mySql ? "max_execution_time = 10000" : "max_statement_time = 10");
    }

    /** So many question marks, for a list. */
    static String marks(Collection<?> values) {
        return String.join(", ", Collections.nCopies(values.size(), "?"));
    }

    /** A table with one column of so many values, all to be bound. */
    static String column(String name, Collection<?> values) {
        return "SELECT ? AS " + name + " UNION ALL SELECT ?".repeat(values.size() - 1);
    }

    /** Numbers as they are: nothing that could be anything else. */
    static String numbers(Collection<? extends Number> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    static byte[] bytes(UUID id) {
        return ByteBuffer.allocate(BYTES_OF_AN_ID)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    static UUID uuid(byte[] bytes) {
        ByteBuffer id = ByteBuffer.wrap(bytes);
        return new UUID(id.getLong(), id.getLong());
    }

    /** What the column {@code aggregate} has: the SHA-256 of type, U+001F and id. */
    static byte[] key(Aggregate aggregate) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest((aggregate.type() + '\u001f' + aggregate.id()).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256, which every Java has to have", e);
        }
    }

    /** None of a date that is none, such as that of all zeros. */
    static @Nullable Instant time(ResultSet row, int n) throws SQLException {
        LocalDateTime time = row.getObject(n, LocalDateTime.class);
        return time == null ? null : time.toInstant(ZoneOffset.UTC);
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, LocalDateTime.class).toInstant(ZoneOffset.UTC);
    }

    static @Nullable Instant optionalInstant(ResultSet row, String column) throws SQLException {
        LocalDateTime time = row.getObject(column, LocalDateTime.class);
        return time == null ? null : time.toInstant(ZoneOffset.UTC);
    }
}
