package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.contracts.CountryPublished;
import io.outboxrelay.samples.contracts.CurrencyPublished;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reference data: countries and currencies, whose names the other views show. */
@Component
class ReferenceView implements View {

    private final JdbcClient database;

    ReferenceView(JdbcClient database) {
        this.database = database;
    }

    @Override
    public void apply(ShopEvent told) {
        SpecificRecord event = told.body();
        if (event instanceof CountryPublished country) {
            apply(country);
        } else if (event instanceof CurrencyPublished currency) {
            apply(currency);
        }
    }

    private void apply(CountryPublished country) {
        database.sql("""
                        INSERT INTO country_view (code, version, name, currency)
                        VALUES (:code, :version, :name, :currency)
                        ON CONFLICT (code) DO UPDATE SET version = excluded.version, name = excluded.name,
                            currency = excluded.currency
                        WHERE country_view.version < excluded.version
                        """)
                .param("code", country.getCode())
                .param("version", country.getVersion())
                .param("name", country.getName())
                .param("currency", country.getCurrency())
                .update();
    }

    private void apply(CurrencyPublished currency) {
        database.sql("""
                        INSERT INTO currency_view (code, version, name, minor_digits)
                        VALUES (:code, :version, :name, :minor_digits)
                        ON CONFLICT (code) DO UPDATE SET version = excluded.version, name = excluded.name,
                            minor_digits = excluded.minor_digits
                        WHERE currency_view.version < excluded.version
                        """)
                .param("code", currency.getCode())
                .param("version", currency.getVersion())
                .param("name", currency.getName())
                .param("minor_digits", currency.getMinorDigits())
                .update();
    }
}
