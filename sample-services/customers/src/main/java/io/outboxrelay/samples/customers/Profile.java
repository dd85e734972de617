package io.outboxrelay.samples.customers;

import jakarta.validation.constraints.Email;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import org.jspecify.annotations.Nullable;

/**
 * The data that a customer may change.
 *
 * @param name of the customer
 * @param email address
 * @param region sales region, such as {@code NORTH}
 * @param country two-letter ISO 3166 code of one of the shop's countries; null if unknown
 */
record Profile(
        @NotBlank(message = GIVEN) @Size(max = 200, message = SHORT)
        String name,

        @NotBlank(message = GIVEN) @Size(max = 200, message = SHORT) @Email(message = ADDRESS)
        String email,

        @NotNull(message = GIVEN) @Pattern(regexp = REGION, message = IN_CAPITALS)
        String region,

        @Pattern(regexp = COUNTRY, message = TWO_LETTERS) @Nullable
        String country) {

    static final String REGION = "[A-Z][A-Z0-9_-]{0,31}";
    static final String COUNTRY = "[A-Z]{2}";

    static final String GIVEN = "must be given";
    static final String SHORT = "must have at most {max} characters";
    static final String ADDRESS = "must be an address such as anna@example.org";
    static final String IN_CAPITALS = "must be a name in capitals such as NORTH";
    static final String TWO_LETTERS = "must be two capital letters such as DE";
}
