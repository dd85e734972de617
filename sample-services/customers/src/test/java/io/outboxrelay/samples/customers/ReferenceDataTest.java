package io.outboxrelay.samples.customers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.contracts.CountryPublished;
import io.outboxrelay.samples.contracts.CurrencyPublished;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.DefaultApplicationArguments;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Countries and currencies, and how others get them. */
@Tag("server")
class ReferenceDataTest {

    private static RunningCustomers service;

    @BeforeAll
    static void start() {
        service = new RunningCustomers();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private final ReferenceData referenceData = service.bean(ReferenceData.class);

    @Test
    void entries_of_the_migration_are_published_at_the_first_start() {
        CurrencyPublished yen =
                (CurrencyPublished) service.told("currency", "JPY").get(0);
        assertThat(yen.getVersion()).isEqualTo(1);
        assertThat(yen.getName()).isEqualTo("Yen");
        assertThat(yen.getMinorDigits()).isZero();
        CountryPublished sweden =
                (CountryPublished) service.told("country", "SE").get(0);
        assertThat(sweden.getVersion()).isEqualTo(1);
        assertThat(sweden.getName()).isEqualTo("Sweden");
        assertThat(sweden.getCurrency()).isEqualTo("SEK");
    }

    @Test
    void nothing_is_published_again_at_the_next_start() {
        try (ConfigurableApplicationContext next = service.start()) {
            assertThat(next.isRunning()).isTrue();
        }

        assertThat(service.told("currency", "JPY")).hasSize(1);
        assertThat(service.told("country", "SE")).hasSize(1);
    }

    @Test
    void instances_that_start_at_once_publish_each_entry_once() throws Exception {
        service.admin()
                .sql("INSERT INTO currency (code, name, minor_digits) VALUES ('ISK', 'Icelandic krona', 0)")
                .update();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<?> second = transaction().execute(first -> {
                publishUnpublished();
                Future<?> running = other.submit(this::publishUnpublished);
                await().atMost(RunningCustomers.SOON).until(this::somebodyWaitsForALock);
                return running;
            });
            second.get();
        } finally {
            other.shutdown();
        }

        assertThat(service.told("currency", "ISK")).hasSize(1);
    }

    @Test
    void a_change_is_published_with_the_next_version_and_no_change_is_not() {
        referenceData.putCurrency("NOK", "Norwegian krone", 2);
        referenceData.putCountry("NO", "Norge", "NOK");
        referenceData.putCountry("NO", "Norway", "NOK");
        referenceData.putCountry("NO", "Norway", "NOK");
        referenceData.putCurrency("NOK", "Norwegian krone", 2);

        assertThat(service.told("currency", "NOK")).hasSize(1);
        assertThat(service.told("country", "NO"))
                .map(CountryPublished.class::cast)
                .extracting(country -> country.getVersion() + " " + country.getName())
                .containsExactly("1 Norge", "2 Norway");
    }

    /** What each instance does when it starts. */
    private void publishUnpublished() {
        referenceData.run(new DefaultApplicationArguments());
    }

    private boolean somebodyWaitsForALock() {
        return service.admin().sql("""
                        SELECT EXISTS (
                            SELECT FROM pg_stat_activity WHERE datname = current_database()
                              AND wait_event_type = 'Lock')
                        """).query(Boolean.class).single();
    }

    private static TransactionTemplate transaction() {
        return new TransactionTemplate(service.bean(PlatformTransactionManager.class));
    }
}
