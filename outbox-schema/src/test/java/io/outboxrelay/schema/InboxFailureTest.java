package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code inbox_failure} refuses, whoever writes it. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class InboxFailureTest {

    private static final String FAR_TOO_LONG = "x".repeat(2_000);

    private static TestDatabase database;

    @Parameter
    DatabaseKind kind;

    /** A row as a consumer writes it. */
    private record Row(
            String consumer,
            UUID event,
            String aggregateType,
            String aggregateId,
            String state,
            boolean due,
            String reason,
            String detail) {

        static Row of(String state, boolean due, String reason) {
            return new Row("billing", UUID.randomUUID(), "Order", "1", state, due, reason, null);
        }

        static Row waiting() {
            return of("waiting", false, null);
        }

        Row with(String consumer, UUID event) {
            return new Row(consumer, event, aggregateType, aggregateId, state, due, reason, detail);
        }

        Row ofAggregate(String type, String id) {
            return new Row(consumer, event, type, id, state, due, reason, detail);
        }

        Row withDetail(String detail) {
            return new Row(consumer, event, aggregateType, aggregateId, state, due, reason, detail);
        }
    }

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = kind.newDatabase();
        OutboxSchema.install(database.dataSource());
    }

    @AfterParameterizedClassInvocation
    static void drop_the_database() {
        database.close();
    }

    @BeforeEach
    void empty_the_table() throws SQLException {
        Sql.execute(database.dataSource(), "DELETE FROM inbox_failure");
    }

    @Test
    void an_event_is_there_once_for_each_consumer() throws SQLException {
        UUID event = UUID.randomUUID();
        insert(Row.waiting().with("billing", event));
        insert(Row.waiting().with("shipping", event));

        assertRefused(
                "inbox_failure_(consumer_event_id_key|event)",
                () -> insert(Row.waiting().with("billing", event)));
    }

    @Test
    void a_retrying_event_has_a_next_attempt_and_no_other_event_has_one() throws SQLException {
        insert(Row.of("retrying", true, "handler"));
        insert(Row.of("parked", false, "handler"));
        insert(Row.of("waiting", false, null));

        for (Row wrong : List.of(
                Row.of("retrying", false, "handler"),
                Row.of("parked", true, "handler"),
                Row.of("waiting", true, null))) {
            assertRefused("inbox_failure_(check|next_attempt_at_check|retrying_when)", () -> insert(wrong));
        }
    }

    @Test
    void a_parked_event_has_a_reason() {
        assertRefused("inbox_failure_(check1|reason_check|parked_why)", () -> insert(Row.of("parked", false, null)));
    }

    @Test
    void there_is_no_other_state() {
        assertRefused("inbox_failure_state(_check)?", () -> insert(Row.of("paused", false, "handler")));
    }

    @Test
    void a_detail_is_bounded_by_its_bytes() throws SQLException {
        insert(Row.waiting().withDetail("é".repeat(2_048)));

        assertRefused(
                "inbox_failure_detail(_check)?", () -> insert(Row.waiting().withDetail("é".repeat(2_049))));
    }

    @Test
    void an_event_without_an_aggregate_can_be_kept() throws SQLException {
        insert(Row.waiting().ofAggregate("", ""));
        insert(Row.waiting().ofAggregate("", ""));

        assertThat(Sql.value(database.dataSource(), "SELECT count(*) FROM inbox_failure WHERE aggregate_type = ''"))
                .isEqualTo("2");
    }

    @Test
    void aggregates_that_differ_in_case_accents_or_trailing_spaces_are_different() throws SQLException {
        for (String id : List.of("a", "A", "a ", "á")) {
            insert(Row.waiting().ofAggregate("Order", id));
        }
        for (String id : List.of("a", "A", "a ", "á")) {
            assertThat(Sql.value(
                            database.dataSource(),
                            "SELECT count(*) FROM inbox_failure WHERE aggregate_id = '" + id + "'"))
                    .as("[%s]", id)
                    .isEqualTo("1");
        }
    }

    @Test
    void what_a_session_without_strict_mode_would_truncate_is_refused() {
        assumeTrue(kind.isInnoDb(), "PostgreSQL never truncates");

        assertRefused(
                "inbox_failure_aggregate_type",
                () -> insertWithoutStrictMode(Row.waiting().ofAggregate(FAR_TOO_LONG, "1")));
        assertRefused(
                "inbox_failure_aggregate_id",
                () -> insertWithoutStrictMode(Row.waiting().ofAggregate("Order", FAR_TOO_LONG)));
    }

    /** The constraint's name is part of the message of all three. */
    private static void assertRefused(String constraint, ThrowingCallable insert) {
        assertThatThrownBy(insert)
                .isInstanceOf(SQLException.class)
                .hasMessageMatching("(?s).*\\b" + constraint + "\\b.*");
    }

    private static void insert(Row row) throws SQLException {
        try (Connection connection = database.dataSource().getConnection()) {
            insert(row, connection);
        }
    }

    private static void insertWithoutStrictMode(Row row) throws SQLException {
        try (Connection connection = database.dataSource().getConnection()) {
            connection.createStatement().execute("SET sql_mode = ''");
            insert(row, connection);
        }
    }

    private static void insert(Row row, Connection connection) throws SQLException {
        boolean innoDb = database.kind().isInnoDb();
        try (PreparedStatement insert = connection.prepareStatement(
                """
                INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                    headers, queue, state, next_attempt_at, reason, detail)
                VALUES (?, %s, ?, ?, 'OrderPlaced', 'x', '{}', 'billing.orders', ?, %s,
                    ?, ?)""".formatted(innoDb ? "unhex(?)" : "?::uuid", row.due() ? "current_timestamp" : "NULL"))) {
            insert.setString(1, row.consumer());
            insert.setString(2, row.event().toString().replace("-", ""));
            insert.setString(3, row.aggregateType());
            insert.setString(4, row.aggregateId());
            insert.setString(5, row.state());
            insert.setString(6, row.reason());
            insert.setString(7, row.detail());
            insert.executeUpdate();
        }
    }
}
