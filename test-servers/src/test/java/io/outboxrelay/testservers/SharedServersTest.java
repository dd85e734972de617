package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class SharedServersTest {
    @Test
    void all_tests_of_a_jvm_share_one_postgres_and_each_has_its_own_database() throws SQLException {
        assertThat(Servers.postgres()).isSameAs(Servers.postgres());
        try (TestDatabase one = Servers.postgres().newDatabase();
                TestDatabase other = Servers.postgres().newDatabase();
                java.sql.Connection connection = one.dataSource().getConnection()) {
            assertThat(one.name()).isNotEqualTo(other.name());
            assertThat(connection.isValid(10)).isTrue();
        }
    }

    @Test
    void all_tests_of_a_jvm_share_one_mariadb_and_each_has_its_own_database() throws SQLException {
        assertThat(Servers.mariaDb()).isSameAs(Servers.mariaDb());
        try (TestDatabase one = DatabaseKind.MARIADB.newDatabase();
                TestDatabase other = DatabaseKind.MARIADB.newDatabase();
                java.sql.Connection connection = one.dataSource().getConnection()) {
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
