package io.outboxrelay.samples.customers;

import io.swagger.v3.oas.annotations.Operation;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Email;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Customers and their credit over HTTP. */
@RestController
@RequestMapping("/customers")
class CustomersApi {

    private final Customers customers;

    CustomersApi(Customers customers) {
        this.customers = customers;
    }

    /** A profile, and the credit limit of the new customer. */
    record Registration(
            @NotBlank(message = Profile.GIVEN) @Size(max = 200, message = Profile.SHORT)
            String name,

            @NotBlank(message = Profile.GIVEN)
            @Size(max = 200, message = Profile.SHORT)
            @Email(message = Profile.ADDRESS)
            String email,

            @NotNull(message = Profile.GIVEN) @Pattern(regexp = Profile.REGION, message = Profile.IN_CAPITALS)
            String region,

            @Pattern(regexp = Profile.COUNTRY, message = Profile.TWO_LETTERS) @Nullable
            String country,

            @NotNull(message = Profile.GIVEN) @PositiveOrZero(message = CreditLimit.NOT_BELOW_ZERO)
            Long creditLimitCents) {

        Profile profile() {
            return new Profile(name, email, region, country);
        }
    }

    record CreditLimit(
            @NotNull(message = Profile.GIVEN) @PositiveOrZero(message = NOT_BELOW_ZERO)
            Long creditLimitCents) {

        static final String NOT_BELOW_ZERO = "must be 0 or more";
    }

    @PostMapping
    @Operation(summary = "Register a customer")
    ResponseEntity<Customer> register(@Valid @RequestBody Registration registration) {
        Customer customer = customers.register(registration.profile(), registration.creditLimitCents());
        return ResponseEntity.created(URI.create("/customers/" + customer.customerId()))
                .body(customer);
    }

    @GetMapping
    @Operation(
            summary = "List customers",
            description = "In alphabetical order, at most 200. To get all of them, keep a copy, fed by events.")
    List<Customer> list(@RequestParam @Nullable String region) {
        return customers.list(region);
    }

    @GetMapping("/{customerId}")
    @Operation(summary = "Show a customer")
    Customer show(@PathVariable String customerId) {
        return customers.find(customerId).orElseThrow(() -> new NoSuchCustomer(customerId));
    }

    @PutMapping("/{customerId}")
    @Operation(summary = "Change a customer's profile", description = "Replaces the whole profile.")
    Customer change(@PathVariable String customerId, @Valid @RequestBody Profile profile) {
        return customers.change(customerId, profile);
    }

    @PutMapping("/{customerId}/credit-limit")
    @Operation(
            summary = "Set a customer's credit limit",
            description = "A limit below the reserved amount releases nothing, but allows no further reservation.")
    Customer limitCredit(@PathVariable String customerId, @Valid @RequestBody CreditLimit limit) {
        return customers.limitCredit(customerId, limit.creditLimitCents());
    }

    @GetMapping("/{customerId}/credit")
    @Operation(summary = "Show a customer's credit", description = "Available: limit minus reservations.")
    Credit credit(@PathVariable String customerId) {
        return customers.credit(customerId).orElseThrow(() -> new NoSuchCustomer(customerId));
    }
}
