package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WriterRatesTest {

    @Test
    void a_rate_is_divided_by_that_of_the_reference_in_the_same_round() {
        WriterRates rates = new WriterRates();
        rates.add(WriterVariant.PLAIN, 1_000);
        rates.add(WriterVariant.OUTBOX, 900);
        rates.add(WriterVariant.OUTBOX, 400);
        rates.add(WriterVariant.PLAIN, 500);

        assertThat(rates.lines())
                .containsExactly(
                        "writers ratio plain=1.00 (1.00..1.00) beside plain, transactions a second: 750 (500..1000)",
                        "writers ratio outbox=0.85 (0.80..0.90) beside plain, transactions a second: 650 (400..900)");
    }
}
