package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("server")
class SharedServersTest {
    @ParameterizedTest
    @MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
    void all_tests_of_a_jvm_share_one_server_of_a_kind_and_each_has_its_own_database(DatabaseKind kind)
            throws SQLException {
        try (TestDatabase one = kind.newDatabase();
                TestDatabase other = kind.newDatabase();
                java.sql.Connection connection = one.dataSource().getConnection()) {
            assertThat(one.port()).isEqualTo(other.port());
            assertThat(one.name()).isNotEqualTo(other.name());
            assertThat(connection.isValid(10)).isTrue();
        }
    }

    @Test
    void all_tests_of_a_jvm_share_one_broker_and_each_has_its_own_virtual_host() throws Exception {
        assertThat(Servers.rabbitmq()).isSameAs(Servers.rabbitmq());
        try (TestVirtualHost one = Servers.rabbitmq().newVirtualHost();
                TestVirtualHost other = Servers.rabbitmq().newVirtualHost();
                Connection connection = one.connectionFactory().newConnection()) {
            assertThat(one.name()).isNotEqualTo(other.name());
            assertThat(connection.isOpen()).isTrue();
        }
    }
}
