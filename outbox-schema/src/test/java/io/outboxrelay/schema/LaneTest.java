package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class LaneTest {

    private static final int LANES = 8;

    @Parameter
    DatabaseKind kind;

    private static TestDatabase database;
    private static DataSource owner;

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = kind.newDatabase();
        owner = database.dataSource();
        OutboxSchema.defaults().withLanes(LANES).installOn(owner);
    }

    @AfterParameterizedClassInvocation
    static void drop_the_database() {
        database.close();
    }

    @BeforeEach
    void empty_the_outbox() throws SQLException {
        Sql.execute(owner, "DELETE FROM outbox");
    }

    @Test
    void events_of_one_aggregate_share_a_lane_and_its_hash_is_the_documented_one() throws Exception {
        List<String> ids = List.of(
                "",
                " ",
                "\\",
                "\\\\",
                "\\x41",
                "\\\\x41",
                "\\101",
                "A",
                "'",
                "''",
                "\"",
                "$1",
                "%",
                "\n",
                "\t",
                "\u001f",
                "é",
                "e\u0301",
                "日本",
                "😀",
                "null",
                "a'b\\c\"d",
                "x".repeat(1_024));
        for (int i = 0; i < 3; i++) {
            insert("order", ids);
        }

        Map<String, Set<Integer>> lanes = lanesById();

        assertThat(lanes.keySet()).containsExactlyInAnyOrderElementsOf(ids);
        for (String id : ids) {
            assertThat(lanes.get(id)).as("lanes of [%s]", id).containsExactly(expectedLane("order", id));
        }
    }

    @Test
    void aggregates_spread_evenly_over_all_lanes() throws Exception {
        insert("order", IntStream.range(0, 8_000).mapToObj(Integer::toString).toList());
        insert(
                "\\x6f72646572",
                IntStream.range(0, 8_000).mapToObj(i -> "\\x" + i).toList());

        List<String> sizes = Sql.column(owner, "SELECT count(*) FROM outbox GROUP BY lane");

        // The standard deviation of a lane's share is 42.
        assertThat(sizes)
                .hasSize(LANES)
                .allSatisfy(size -> assertThat(Integer.parseInt(size)).isBetween(1_750, 2_250));
    }

    @Test
    void the_boundary_between_type_and_id_counts() throws Exception {
        assertThat(expectedLane("or", "der")).isNotEqualTo(expectedLane("ord", "er"));
        insert("or", List.of("der"));
        insert("ord", List.of("er"));

        assertThat(Sql.column(owner, "SELECT lane FROM outbox ORDER BY position"))
                .containsExactly("" + expectedLane("or", "der"), "" + expectedLane("ord", "er"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"utf16", "utf32", "latin1", "utf8mb4"})
    void the_character_set_of_a_session_does_not_choose_the_lane(String characterSet) throws Exception {
        assumeTrue(kind.isInnoDb(), "PostgreSQL hashes the bytes of the column");
        try (Connection connection = owner.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SET sql_mode = ''");
            statement.execute("SET character_set_connection = " + characterSet);
            statement.execute("""
                    INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                    VALUES ('order', '4711', 'OrderPlaced', '', 'text/plain')""");
        }

        assertThat(Sql.column(owner, "SELECT lane FROM outbox")).containsExactly("" + expectedLane("order", "4711"));
    }

    @Test
    void psql_can_write_an_event_with_five_columns() throws Exception {
        assumeTrue(kind == DatabaseKind.POSTGRESQL && Sql.psqlIsInstalled(), "needs PostgreSQL and psql");

        Sql.psql(database, """
                SET ROLE outbox_writer;
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                VALUES ('order', '4711', 'OrderPlaced', '{"total": 12}', 'application/json');
                """);

        assertThat(Sql.column(owner, """
                        SELECT concat_ws('|', lane, position > 0, event_id IS NOT NULL, aggregate_type, aggregate_id,
                            event_type, convert_from(payload, 'UTF8'), content_type, headers,
                            occurred_at BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp())
                        FROM outbox"""))
                .containsExactly(expectedLane("order", "4711")
                        + "|t|t|order|4711|OrderPlaced|{\"total\": 12}|application/json|{}|t");
    }

    @Test
    void neither_lane_nor_position_can_be_chosen_by_a_writer() {
        // MariaDB lets an owner choose a position; the role of a writer does not: MariaDbRolesTest.
        for (String column : kind.isInnoDb() ? List.of("lane") : List.of("lane", "position")) {
            assertThatThrownBy(() -> Sql.execute(owner, """
                    INSERT INTO outbox (%s, aggregate_type, aggregate_id, event_type, payload, content_type)
                    VALUES (1, 'order', '1', 'OrderPlaced', '',
                        'text/plain')""".formatted(column))).hasMessageContaining(column);
        }
    }

    @Test
    void aggregates_that_differ_in_case_accents_or_trailing_spaces_are_different() throws Exception {
        insert("order", List.of("a", "A", "a ", "á", "a\t"));

        for (String id : List.of("a", "A", "a ", "á", "a\t")) {
            assertThat(Sql.column(owner, "SELECT count(*) FROM outbox WHERE aggregate_id = '" + id + "'"))
                    .as("[%s]", id)
                    .containsExactly("1");
        }
    }

    private static void insert(String aggregateType, List<String> aggregateIds) throws SQLException {
        try (Connection connection = owner.getConnection();
                PreparedStatement statement = connection.prepareStatement("""
                        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES (?, ?, 'OrderPlaced', '', 'text/plain')""")) {
            connection.setAutoCommit(false);
            for (String id : aggregateIds) {
                statement.setString(1, aggregateType);
                statement.setString(2, id);
                statement.addBatch();
            }
            statement.executeBatch();
            connection.commit();
        }
    }

    private static Map<String, Set<Integer>> lanesById() throws SQLException {
        Map<String, Set<Integer>> lanes = new HashMap<>();
        try (Connection connection = owner.getConnection();
                var rows = connection.createStatement().executeQuery("SELECT aggregate_id, lane FROM outbox")) {
            while (rows.next()) {
                lanes.computeIfAbsent(rows.getString(1), id -> new HashSet<>()).add(rows.getInt(2));
            }
        }
        return lanes;
    }

    /** PostgreSQL is asked for its own hash; that the hash is the same in all versions, another test shows. */
    private int expectedLane(String aggregateType, String aggregateId) throws SQLException {
        if (kind.isInnoDb()) {
            CRC32 crc = new CRC32();
            crc.update((aggregateType + '\u001f' + aggregateId).getBytes(StandardCharsets.UTF_8));
            return (int) (crc.getValue() % LANES);
        }
        try (Connection connection = owner.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT abs(hashtextextended(?, hashtextextended(?, 0)) % " + LANES + ")")) {
            statement.setString(1, aggregateId);
            statement.setString(2, aggregateType);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }
}
