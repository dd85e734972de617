package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeadersJsonTest {

    @Test
    void reads_what_was_written() {
        Map<String, String> headers = Map.of(
                "tenant", "north",
                "empty", "",
                "quoted \"name\"", "a \\ and a \"",
                "lines", "one\ntwo\t\u0000",
                "far", "\u00e4\u20ac\ud83d\ude00");

        assertThat(HeadersJson.read(HeadersJson.write(headers))).isEqualTo(headers);
    }

    @Test
    void reads_no_headers() {
        assertThat(HeadersJson.read(HeadersJson.write(Map.of()))).isEmpty();
    }

    @Test
    void reads_what_a_database_makes_of_it() {
        assertThat(HeadersJson.read(" { \"b\" : \"2\" ,\n \"a\":\"1\" } ")).isEqualTo(Map.of("a", "1", "b", "2"));
    }

    @Test
    void what_it_has_read_cannot_be_changed() {
        assertThatThrownBy(() -> HeadersJson.read("{\"a\": \"1\"}").put("b", "2"))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void says_what_it_cannot_read_without_its_values() {
        assertThatThrownBy(() -> HeadersJson.read("{\"a\": \"secret\", "))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("headers")
                .hasMessageNotContaining("secret");
    }
}
