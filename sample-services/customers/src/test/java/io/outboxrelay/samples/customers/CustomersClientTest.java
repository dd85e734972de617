package io.outboxrelay.samples.customers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.samples.customers.client.CustomersClient;
import io.outboxrelay.samples.customers.client.NoSuchCustomer;
import java.net.URI;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shared client against the service that it is made for. */
@Tag("server")
class CustomersClientTest {

    private static RunningCustomers service;

    @BeforeAll
    static void start() {
        service = new RunningCustomers();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private final CustomersClient client = new CustomersClient(URI.create(service.address()));

    @Test
    void the_client_understands_every_answer_of_the_service() {
        String anna = service.bean(Customers.class)
                .register(new Profile("Anna", "anna@example.org", "NORTH", "SE"), 50_000)
                .customerId();
        service.handle(OrderRequests.reserve(anna, "order-1", 20_000));

        assertThat(client.find(anna).orElseThrow())
                .usingRecursiveComparison()
                .isEqualTo(service.bean(Customers.class).find(anna).orElseThrow());
        assertThat(client.credit(anna)).usingRecursiveComparison().isEqualTo(new Credit(anna, 50_000, 20_000, 30_000));
        assertThat(client.ofRegion("NORTH")).hasSize(1);
        assertThat(client.ofRegion("NOWHERE")).isEmpty();
        assertThat(client.countries()).anyMatch(country -> country.currency().equals("SEK"));
        assertThat(client.currencies()).anyMatch(currency -> currency.minorDigits() == 0);
    }

    @Test
    void the_client_understands_that_a_customer_is_missing() {
        assertThat(client.find("nobody")).isEmpty();
        assertThatThrownBy(() -> client.credit("nobody")).isInstanceOf(NoSuchCustomer.class);
    }
}
