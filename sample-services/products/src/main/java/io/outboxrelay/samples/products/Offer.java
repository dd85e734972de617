package io.outboxrelay.samples.products;

import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;

/**
 * Name and price of a product.
 *
 * @param name that customers see
 * @param priceCents unit price, in hundredths of the currency
 * @param currency ISO 4217 code
 */
record Offer(
        @NotBlank(message = GIVEN) @Size(max = 200, message = SHORT)
        String name,

        @NotNull(message = GIVEN) @PositiveOrZero(message = NOT_BELOW_ZERO)
        Long priceCents,

        @NotNull(message = GIVEN) @Pattern(regexp = ISO_4217, message = THREE_LETTERS)
        String currency) {

    static final String ISO_4217 = "[A-Z]{3}";

    static final String GIVEN = "must be given";
    static final String SHORT = "must have at most {max} characters";
    static final String NOT_BELOW_ZERO = "must be 0 or more";
    static final String THREE_LETTERS = "must be three capital letters such as EUR";
}
