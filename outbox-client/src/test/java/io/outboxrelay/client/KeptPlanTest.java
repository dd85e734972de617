package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Planning costs more than the notes of a few events, so PostgreSQL has to do it once. */
@Tag("server")
class KeptPlanTest {

    /** The driver prepares a statement on the server at the fifth time, and the server keeps a plan at the sixth. */
    private static final int ENOUGH = 20;

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 100})
    void the_plan_for_noting_events_is_kept(int batch) throws SQLException {
        try (ClientDatabase database = new ClientDatabase(DatabaseKind.POSTGRESQL.newDatabase());
                Connection connection = database.pool.getConnection()) {
            for (int i = 0; i < ENOUGH; i++) {
                new PostgresDatabase("public").note(connection, "billing", events(batch));
            }

            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement"
                                    + " LIKE '%inbox_failure%'")) {
                row.next();
                assertThat(row.getLong(1)).isPositive();
            }
        }
    }

    private static List<ReceivedEvent> events(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new ReceivedEvent(
                        UUID.randomUUID(), "Placed", "Order", "o" + i, new byte[0], null, Map.of(), null, false))
                .toList();
    }
}
