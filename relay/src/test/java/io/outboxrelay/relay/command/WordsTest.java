package io.outboxrelay.relay.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "OrderPlaced    | OrderPlaced",
                "order-4711.a/b | order-4711.a/b",
                "Order Placed   | 'Order Placed'",
                "it's $HOME     | 'it'\\''s $HOME'",
                "--all          | '--all'",
                "~~             | ''",
            })
    void a_text_is_quoted_for_a_shell_only_if_it_needs_to_be(String text, String quoted) {
        assertThat(Words.quoted(text)).isEqualTo(quoted);
    }

    @Test
    void a_beginning_is_a_time_or_an_age() {
        Instant now = Instant.parse("2026-01-31T12:00:00Z");

        assertThat(new Words.SinceConverter().convert("2h").apply(now)).isEqualTo("2026-01-31T10:00:00Z");
        assertThat(new Words.SinceConverter().convert("2026-01-30").apply(now)).isEqualTo("2026-01-30T00:00:00Z");
    }
}
