package io.outboxrelay.relay.testing;

import io.outboxrelay.testservers.DatabaseKind;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What tests that run on every kind of database say to it: they speak PostgreSQL, and here is the little of it that
 * they use in the words of MariaDB and MySQL.
 */
final class TestSql {

    private static final Pattern TRUNCATE = Pattern.compile("TRUNCATE (.*?)( RESTART IDENTITY)?");
    private static final int BYTES_OF_AN_ID = 16;

    private TestSql() {}

    /** Makes a session of MariaDB or MySQL as PostgreSQL's are: UTC, READ COMMITTED, and || puts texts together. */
    static void prepare(Connection connection, DatabaseKind kind) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    "SET time_zone = '+00:00', sql_mode = concat(@@sql_mode, ',PIPES_AS_CONCAT'), sql_big_selects = 1, "
                            + (kind == DatabaseKind.MYSQL
                                    ? "transaction_isolation = 'READ-COMMITTED', cte_max_recursion_depth = 100000"
                                    : "tx_isolation = 'READ-COMMITTED'"));
        }
    }

    static List<String> of(String sql, DatabaseKind kind) {
        if (!kind.isInnoDb()) {
            return List.of(sql);
        }
        return Arrays.stream(sql.strip().split(";"))
                .flatMap(one -> ofOne(one, kind))
                .toList();
    }

    private static Stream<String> ofOne(String sql, DatabaseKind kind) {
        var truncate = TRUNCATE.matcher(sql.strip());
        if (truncate.matches()) {
            return Arrays.stream(truncate.group(1).split(", ")).map(table -> "TRUNCATE " + table);
        }
        return Stream.of(sql.strip()
                .replace("clock_timestamp()", "utc_timestamp(6)")
                .replace("now()", "utc_timestamp(6)")
                .replace("current_timestamp", "utc_timestamp(6)")
                .replace("gen_random_uuid()", "unhex(replace(uuid(), '-', ''))")
                .replace("::text", "")
                .replace("OVERRIDING SYSTEM VALUE ", "")
                .replace("'\\xC30100FF'", "x'C30100FF'")
                .replaceAll("SELECT FROM", "SELECT 1 FROM")
                .replaceAll("'(\\d{4}-\\d\\d-\\d\\d)T([\\d:.]+)Z'", "'$1 $2'")
                .replaceAll("interval '(\\d+) ms'", "INTERVAL $1 * 1000 MICROSECOND")
                .replaceAll("interval '(\\d+) (minute|hour|second|day)s?'", "INTERVAL $1 $2")
                .replaceAll("generate_series\\((\\d+), (\\d+)\\)( AS)? n\\b", numbers(kind) + " n")
                .replaceAll("SET lock_timeout = '(\\d+)s'", "SET innodb_lock_wait_timeout = $1")
                .replaceAll("SET lock_timeout = 1$", "SET innodb_lock_wait_timeout = 1"));
    }

    /** A table of the numbers $1 to $2, as n. */
    private static String numbers(DatabaseKind kind) {
        return kind == DatabaseKind.MYSQL
                ? "(WITH RECURSIVE s (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n < $2) SELECT n FROM s)"
                : "(SELECT seq AS n FROM seq_$1_to_$2)";
    }

    /** The first column of a row; an id as it is usually written. */
    static String text(ResultSet row) throws SQLException {
        if (row.getMetaData().getColumnTypeName(1).equals("BINARY")
                && row.getBytes(1) != null
                && row.getBytes(1).length == BYTES_OF_AN_ID) {
            ByteBuffer id = ByteBuffer.wrap(row.getBytes(1));
            return new UUID(id.getLong(), id.getLong()).toString();
        }
        return row.getString(1);
    }
}
