package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MissingTableExceptionTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:mysql://user:secret@host/db",
                "jdbc:mysql://user:se?cret@host/db",
                "jdbc:mysql://user:sec;ret@host/db",
                "jdbc:mysql://address=(host=host)(user=user)(password=secret)/db",
                "jdbc:mysql://(host=host,password=secret)/db",
                "jdbc:mariadb://address=(host=host)(password=secret)/db",
                "jdbc:other:user/secret@host",
            })
    void an_address_in_which_a_password_can_stand_is_not_shown(String url) {
        assertThat(MissingTableException.plainAddress(url)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "jdbc:postgresql://db.example.org:5432/orders?password=secret, jdbc:postgresql://db.example.org:5432/orders",
        "'jdbc:postgresql://one:5432,[::1]:5433/orders', 'jdbc:postgresql://one:5432,[::1]:5433/orders'",
        "jdbc:mysql:loadbalance://one/shop_1, jdbc:mysql:loadbalance://one/shop_1",
        "jdbc:mariadb://db/orders;password=secret, jdbc:mariadb://db/orders",
    })
    void another_address_is_shown_without_its_parameters(String url, String address) {
        assertThat(MissingTableException.plainAddress(url)).contains(address);
    }

    @Test
    void a_table_that_a_trigger_needs_is_not_the_outbox() {
        assertThat(isMeant("42P01", 0, "ERROR: relation \"public.outbox\" does not exist\n  Position: 13"))
                .isTrue();
        assertThat(isMeant("42S02", 1146, "(conn=5) Table 'shop.outbox' doesn't exist"))
                .isTrue();
        assertThat(isMeant("42P01", 0, "ERROR: relation \"orders_outbox_log\" does not exist"))
                .isFalse();
        assertThat(isMeant("42S02", 1146, "Table 'outbox.audit' doesn't exist")).isFalse();
        assertThat(isMeant("42000", 1049, "Unknown database 'shop'")).isTrue();
        assertThat(isMeant("42000", 1049, "Unknown database 'audit'")).isFalse();
    }

    private static boolean isMeant(String state, int code, String message) {
        return MissingTableException.isMeantBy(new SQLException(message, state, code), "outbox", "shop");
    }
}
