package io.outboxrelay.samples.customers;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CountryPublished;
import io.outboxrelay.samples.contracts.CurrencyPublished;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Countries and currencies: small lists that rarely change and that all services need. This service owns them and
 * publishes each entry as an event, so that others can keep a copy. Entries from a migration are published once, when
 * the service starts, however often and in however many instances it starts.
 */
@Component
class ReferenceData implements ApplicationRunner {

    private static final String COUNTRY = "country";
    private static final String CURRENCY = "currency";

    private final JdbcClient database;
    private final Events events;

    ReferenceData(JdbcClient database, Events events) {
        this.database = database;
        this.events = events;
    }

    /**
     * Publishes the entries of a migration. Another instance that does the same waits for the rows and then finds none.
     */
    @Override
    @Transactional
    public void run(ApplicationArguments arguments) {
        database.sql("""
                        WITH unpublished AS (SELECT code FROM currency WHERE version = 0 ORDER BY code FOR UPDATE)
                        UPDATE currency SET version = 1 FROM unpublished WHERE currency.code = unpublished.code
                        RETURNING currency.*
                        """).query(Currency.class).list().forEach(this::publish);
        database.sql("""
                        WITH unpublished AS (SELECT code FROM country WHERE version = 0 ORDER BY code FOR UPDATE)
                        UPDATE country SET version = 1 FROM unpublished WHERE country.code = unpublished.code
                        RETURNING country.*
                        """).query(Country.class).list().forEach(this::publish);
    }

    List<Country> countries() {
        return database.sql("SELECT * FROM country ORDER BY code")
                .query(Country.class)
                .list();
    }

    List<Currency> currencies() {
        return database.sql("SELECT * FROM currency ORDER BY code")
                .query(Currency.class)
                .list();
    }

    /** Adds or changes a country; publishes nothing if nothing changes. */
    @Transactional
    Country putCountry(String code, String name, String currency) {
        if (currencies().stream().noneMatch(known -> known.code().equals(currency))) {
            throw new UnknownCode(CURRENCY, currency, "/currencies");
        }
        database.sql("""
                        INSERT INTO country (code, version, name, currency) VALUES (:code, 1, :name, :currency)
                        ON CONFLICT (code) DO UPDATE
                        SET version = country.version + 1, name = excluded.name, currency = excluded.currency
                        WHERE (country.name, country.currency) <> (excluded.name, excluded.currency)
                        RETURNING *
                        """)
                .param("code", code)
                .param("name", name)
                .param("currency", currency)
                .query(Country.class)
                .optional()
                .ifPresent(this::publish);
        return database.sql("SELECT * FROM country WHERE code = :code")
                .param("code", code)
                .query(Country.class)
                .single();
    }

    /** Adds or changes a currency; publishes nothing if nothing changes. */
    @Transactional
    Currency putCurrency(String code, String name, int minorDigits) {
        database.sql("""
                        INSERT INTO currency (code, version, name, minor_digits) VALUES (:code, 1, :name, :minor_digits)
                        ON CONFLICT (code) DO UPDATE
                        SET version = currency.version + 1, name = excluded.name, minor_digits = excluded.minor_digits
                        WHERE (currency.name, currency.minor_digits) <> (excluded.name, excluded.minor_digits)
                        RETURNING *
                        """)
                .param("code", code)
                .param("name", name)
                .param("minor_digits", minorDigits)
                .query(Currency.class)
                .optional()
                .ifPresent(this::publish);
        return database.sql("SELECT * FROM currency WHERE code = :code")
                .param("code", code)
                .query(Currency.class)
                .single();
    }

    /**
     * Checks a customer's country.
     *
     * @param code null if unknown, which is allowed
     * @throws UnknownCode if the shop does not have it
     */
    void requireCountry(@Nullable String code) {
        if (code != null && countries().stream().noneMatch(known -> known.code().equals(code))) {
            throw new UnknownCode(COUNTRY, code, "/countries");
        }
    }

    private void publish(Country country) {
        events.publish(
                COUNTRY,
                country.code(),
                CountryPublished.newBuilder()
                        .setCode(country.code())
                        .setVersion(country.version())
                        .setName(country.name())
                        .setCurrency(country.currency())
                        .setHappenedAt(now())
                        .build());
    }

    private void publish(Currency currency) {
        events.publish(
                CURRENCY,
                currency.code(),
                CurrencyPublished.newBuilder()
                        .setCode(currency.code())
                        .setVersion(currency.version())
                        .setName(currency.name())
                        .setMinorDigits(currency.minorDigits())
                        .setHappenedAt(now())
                        .build());
    }

    private Instant now() {
        return database.sql("SELECT clock_timestamp()")
                .query(OffsetDateTime.class)
                .single()
                .toInstant();
    }
}
