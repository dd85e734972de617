package io.outboxrelay.samples.customers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditLimitChanged;
import io.outboxrelay.samples.contracts.CreditReserved;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import java.time.OffsetDateTime;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The customers' data, and the events about them. */
@Tag("server")
class CustomersTest {

    private static final Profile ANNA = new Profile("Anna", "anna@example.org", "NORTH", "SE");
    private static final Profile ANNA_MOVED = new Profile("Anna", "anna@example.org", "SOUTH", "AT");

    private static RunningCustomers service;

    @BeforeAll
    static void start() {
        service = new RunningCustomers();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private final Customers customers = service.bean(Customers.class);

    @Test
    void each_change_writes_one_event_in_the_order_of_the_changes() {
        String anna = customers.register(ANNA, 50_000).customerId();
        customers.change(anna, ANNA_MOVED);
        customers.limitCredit(anna, 70_000);
        service.handle(OrderRequests.reserve(anna, "order-1", 20_000));

        List<SpecificRecord> told = service.toldOfCustomer(anna);
        assertThat(told)
                .hasExactlyElementsOfTypes(
                        CustomerRegistered.class,
                        CustomerChanged.class,
                        CreditLimitChanged.class,
                        CreditReserved.class);
        assertThat(told).extracting(Events::version).containsExactly(1, 2, 3, 4);
    }

    @Test
    void an_event_has_all_data_of_its_subject() {
        String anna = customers.register(ANNA, 50_000).customerId();
        service.handle(OrderRequests.reserve(anna, "order-1", 20_000));
        customers.change(anna, ANNA_MOVED);
        customers.limitCredit(anna, 70_000);

        List<SpecificRecord> told = service.toldOfCustomer(anna);
        CustomerRegistered registered = (CustomerRegistered) told.get(0);
        assertThat(registered.getName()).isEqualTo("Anna");
        assertThat(registered.getEmail()).isEqualTo("anna@example.org");
        assertThat(registered.getRegion()).isEqualTo("NORTH");
        assertThat(registered.getCountry()).isEqualTo("SE");
        assertThat(registered.getCreditLimitCents()).isEqualTo(50_000);
        CustomerChanged changed = (CustomerChanged) told.get(2);
        assertThat(changed.getRegion()).isEqualTo("SOUTH");
        assertThat(changed.getCountry()).isEqualTo("AT");
        CreditLimitChanged limited = (CreditLimitChanged) told.get(3);
        assertThat(limited.getCreditLimitCents()).isEqualTo(70_000);
        assertThat(limited.getAvailableCents()).isEqualTo(50_000);
    }

    @Test
    void an_event_has_the_time_of_the_database() {
        String anna = customers.register(ANNA, 50_000).customerId();

        assertThat(Events.happenedAt(service.toldOfCustomer(anna).get(0)))
                .isEqualTo(service.admin()
                        .sql("SELECT registered_at FROM customer WHERE customer_id = ?")
                        .param(anna)
                        .query(OffsetDateTime.class)
                        .single()
                        .toInstant());
    }

    @Test
    void a_change_without_effect_publishes_nothing() {
        Customer anna = customers.register(ANNA, 50_000);

        assertThat(customers.change(anna.customerId(), ANNA)).isEqualTo(anna);
        assertThat(customers.limitCredit(anna.customerId(), 50_000)).isEqualTo(anna);
        assertThat(service.toldOfCustomer(anna.customerId())).hasSize(1);
    }

    @Test
    void a_refused_change_leaves_neither_a_row_nor_an_event() {
        String anna = customers.register(ANNA, 50_000).customerId();
        Profile nowhere = new Profile("Anna", "anna@example.org", "NORTH", "ZZ");

        assertThatThrownBy(() -> customers.change(anna, nowhere)).isInstanceOf(UnknownCode.class);
        assertThatThrownBy(() -> customers.register(nowhere, 50_000)).isInstanceOf(UnknownCode.class);

        assertThat(customers.find(anna).orElseThrow().profile()).isEqualTo(ANNA);
        assertThat(service.toldOfCustomer(anna)).hasSize(1);
    }

    @Test
    void a_limit_below_the_reservations_releases_nothing() {
        String anna = customers.register(ANNA, 50_000).customerId();
        service.handle(OrderRequests.reserve(anna, "order-1", 20_000));

        customers.limitCredit(anna, 10_000);

        assertThat(customers.credit(anna)).contains(new Credit(anna, 10_000, 20_000, -10_000));
    }
}
