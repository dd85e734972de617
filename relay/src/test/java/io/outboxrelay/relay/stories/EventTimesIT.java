package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("full")
class EventTimesIT {

    @Parameter
    DatabaseKind kind;

    private static final int EVENTS = 500;

    private static final String POSTGRESQL = """
        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
        SELECT 'account', (1 + n % 10)::text, 'changed', convert_to((1 + n / 10)::text, 'UTF8'), 'text/plain',
               timestamptz '2026-01-01 00:00:00Z' - n / 20 * interval '5 seconds'
        FROM generate_series(0, 499) AS n ORDER BY n
        """;

    private static final String MARIADB = """
        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
        WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 499)
        SELECT 'account', 1 + n % 10, 'changed', 1 + n DIV 10, 'text/plain',
               '2026-01-01 00:00:00' - INTERVAL n DIV 20 * 5 SECOND
        FROM number ORDER BY n
        """;

    // hazard 18: ten aggregates, whose events by turns have the same time as the one before or one 5 s earlier.
    @Test
    void equal_times_and_times_that_run_backwards_do_not_reorder_an_aggregate(@TempDir Path folder) throws Exception {
        try (TestDatabase database = kind.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Stage stage = new Stage(folder, database, host, "account", 10)) {
            int rows = stage.sql().update(kind.isInnoDb() ? MARIADB : POSTGRESQL);
            stage.sql().execute("INSERT INTO story_ledger SELECT event_id FROM outbox");
            assertThat(rows).isEqualTo(EVENTS);

            stage.relay(stage.file());

            stage.verdict();
        }
    }
}
