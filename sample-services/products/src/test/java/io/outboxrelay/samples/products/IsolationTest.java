package io.outboxrelay.samples.products;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.ServiceDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What the service's login user may do, and what not. */
@Tag("server")
class IsolationTest {

    private static RunningProducts service;

    @BeforeAll
    static void start() {
        service = new RunningProducts();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM outbox",
                "DELETE FROM outbox",
                "DELETE FROM product",
                "UPDATE reservation_line SET quantity = 1",
                "CREATE TABLE mine (id int)",
                "SELECT * FROM flyway_schema_history"
            })
    void the_service_may_only_write_into_the_outbox_and_its_own_tables(String sql) {
        JdbcClient asService = JdbcClient.create(service.database().asService());

        assertThatThrownBy(() -> asService.sql(sql).update()).rootCause().hasMessageContaining("command denied");
    }

    @Test
    void the_service_may_not_connect_to_the_database_of_another() {
        try (ServiceDatabase other = ServiceDatabase.of("orders", DatabaseKind.MARIADB)) {
            assertNoEntry(other, service.database());
        }
    }

    @Test
    void no_other_service_may_connect_to_this_database() {
        try (ServiceDatabase other = ServiceDatabase.of("orders", DatabaseKind.MARIADB)) {
            assertNoEntry(service.database(), other);
        }
    }

    private static void assertNoEntry(ServiceDatabase door, ServiceDatabase stranger) {
        assertThatThrownBy(() -> door.database()
                        .dataSource(stranger.user(), stranger.password())
                        .getConnection())
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user");
    }
}
