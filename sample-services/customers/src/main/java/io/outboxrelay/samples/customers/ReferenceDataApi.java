package io.outboxrelay.samples.customers;

import io.swagger.v3.oas.annotations.Operation;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Countries and currencies over HTTP. */
@RestController
class ReferenceDataApi {

    private static final String ISO_3166 = "must be two capital letters such as DE";
    private static final String ISO_4217 = "must be three capital letters such as EUR";

    private final ReferenceData referenceData;

    ReferenceDataApi(ReferenceData referenceData) {
        this.referenceData = referenceData;
    }

    record CountryEntry(
            @NotBlank(message = Profile.GIVEN) @Size(max = 200, message = Profile.SHORT)
            String name,

            @NotNull(message = Profile.GIVEN) @Pattern(regexp = "[A-Z]{3}", message = ISO_4217)
            String currency) {}

    record CurrencyEntry(
            @NotBlank(message = Profile.GIVEN) @Size(max = 200, message = Profile.SHORT)
            String name,

            @NotNull(message = Profile.GIVEN)
            @PositiveOrZero(message = "must be 0 or more")
            @Max(value = 4, message = "must be at most {value}")
            Integer minorDigits) {}

    @GetMapping("/countries")
    @Operation(summary = "List the countries to which the shop sells")
    List<Country> countries() {
        return referenceData.countries();
    }

    @PutMapping("/countries/{code}")
    @Operation(summary = "Add or change a country")
    Country put(
            @PathVariable @Pattern(regexp = "[A-Z]{2}", message = ISO_3166) String code,
            @Valid @RequestBody CountryEntry country) {
        return referenceData.putCountry(code, country.name(), country.currency());
    }

    @GetMapping("/currencies")
    @Operation(summary = "List the currencies that the shop accepts")
    List<Currency> currencies() {
        return referenceData.currencies();
    }

    @PutMapping("/currencies/{code}")
    @Operation(summary = "Add or change a currency")
    Currency put(
            @PathVariable @Pattern(regexp = "[A-Z]{3}", message = ISO_4217) String code,
            @Valid @RequestBody CurrencyEntry currency) {
        return referenceData.putCurrency(code, currency.name(), currency.minorDigits());
    }
}
