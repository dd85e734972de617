package io.outboxrelay.samples.customers;

import static io.outboxrelay.samples.customers.OrderRequests.paid;
import static io.outboxrelay.samples.customers.OrderRequests.release;
import static io.outboxrelay.samples.customers.OrderRequests.reserve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.CreditReserved;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;

/** The customers' part in the saga: requests may arrive twice, late, or after their own compensation. */
@Tag("server")
class CreditsTest {

    private static final String ORDER = "order-1";

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
    void available_credit_is_reserved() {
        String anna = customerWhoMayOwe(10_000);

        service.handle(reserve(anna, ORDER, 10_000));

        CreditReserved answer = (CreditReserved) lastToldOf(anna);
        assertThat(answer.getOrderId()).isEqualTo(ORDER);
        assertThat(answer.getAmountCents()).isEqualTo(10_000);
        assertThat(answer.getCreditLimitCents()).isEqualTo(10_000);
        assertThat(answer.getAvailableCents()).isZero();
        assertThat(customers.credit(anna)).contains(new Credit(anna, 10_000, 10_000, 0));
    }

    @Test
    void a_reservation_beyond_the_available_credit_is_rejected() {
        String anna = customerWhoMayOwe(10_000);

        service.handle(reserve(anna, ORDER, 10_001));

        CreditRejected answer = (CreditRejected) lastToldOf(anna);
        assertThat(answer.getReason()).isEqualTo(CreditRejection.CREDIT_EXCEEDED);
        assertThat(answer.getAvailableCents()).isEqualTo(10_000);
        assertThat(reservedOf(anna)).isZero();
    }

    @Test
    void an_unknown_customer_has_no_credit() {
        String nobody = "nobody-" + UUID.randomUUID();

        service.handle(reserve(nobody, ORDER, 0));

        CreditRejected answer = (CreditRejected) lastToldOf(nobody);
        assertThat(answer.getReason()).isEqualTo(CreditRejection.UNKNOWN_CUSTOMER);
        assertThat(answer.getVersion()).isZero();
    }

    @Test
    void a_repeated_request_gets_the_same_answer_and_reserves_nothing_more() {
        String anna = customerWhoMayOwe(10_000);

        service.handle(reserve(anna, ORDER, 6_000));
        service.handle(reserve(anna, ORDER, 6_000));

        assertThat(service.toldOfCustomer(anna).subList(1, 3)).hasOnlyElementsOfType(CreditReserved.class);
        assertThat(reservedOf(anna)).isEqualTo(6_000);
    }

    @Test
    void a_rejection_stands_when_credit_is_released_later() {
        String anna = customerWhoMayOwe(10_000);
        service.handle(reserve(anna, ORDER, 10_001));
        customers.limitCredit(anna, 20_000);

        service.handle(reserve(anna, ORDER, 10_001));

        assertThat(lastToldOf(anna)).isInstanceOf(CreditRejected.class);
        assertThat(reservedOf(anna)).isZero();
    }

    @Test
    void released_credit_is_available_again() {
        String anna = customerWhoMayOwe(10_000);
        service.handle(reserve(anna, ORDER, 6_000));

        service.handle(release(anna, ORDER));

        CreditReleased answer = (CreditReleased) lastToldOf(anna);
        assertThat(answer.getAmountCents()).isEqualTo(6_000);
        assertThat(answer.getAvailableCents()).isEqualTo(10_000);
        assertThat(reservedOf(anna)).isZero();
    }

    @Test
    void a_second_release_is_answered_and_releases_no_credit() {
        String anna = customerWhoMayOwe(10_000);
        service.handle(reserve(anna, ORDER, 6_000));
        service.handle(release(anna, ORDER));

        service.handle(release(anna, ORDER));

        CreditReleased answer = (CreditReleased) lastToldOf(anna);
        assertThat(answer.getAmountCents()).isZero();
        assertThat(answer.getAvailableCents()).isEqualTo(10_000);
    }

    @Test
    void a_request_that_comes_after_its_release_is_rejected() {
        String anna = customerWhoMayOwe(10_000);

        service.handle(release(anna, ORDER));
        CreditReleased released = (CreditReleased) lastToldOf(anna);
        service.handle(reserve(anna, ORDER, 6_000));
        CreditRejected rejected = (CreditRejected) lastToldOf(anna);

        assertThat(released.getAmountCents()).isZero();
        assertThat(rejected.getReason()).isEqualTo(CreditRejection.ALREADY_RELEASED);
        assertThat(reservedOf(anna)).isZero();
    }

    @Test
    void a_release_for_an_unknown_customer_is_answered_and_remembered() {
        String nobody = "nobody-" + UUID.randomUUID();

        service.handle(release(nobody, ORDER));
        service.handle(reserve(nobody, ORDER, 100));

        assertThat(service.toldOfCustomer(nobody))
                .hasExactlyElementsOfTypes(CreditReleased.class, CreditRejected.class);
        assertThat(((CreditRejected) lastToldOf(nobody)).getReason()).isEqualTo(CreditRejection.ALREADY_RELEASED);
    }

    @Test
    void a_paid_order_closes_its_reservation_once() {
        String anna = customerWhoMayOwe(10_000);
        service.handle(reserve(anna, ORDER, 6_000));

        service.handle(paid(anna, ORDER, 6_000));
        service.handle(paid(anna, ORDER, 6_000));

        assertThat(service.toldOfCustomer(anna)).hasSize(3);
        CreditReleased answer = (CreditReleased) lastToldOf(anna);
        assertThat(answer.getAmountCents()).isEqualTo(6_000);
        assertThat(answer.getAvailableCents()).isEqualTo(10_000);
    }

    @Test
    void a_negative_amount_is_refused_and_leaves_nothing() {
        String anna = customerWhoMayOwe(10_000);

        assertThatThrownBy(() -> service.handle(reserve(anna, ORDER, -1))).isInstanceOf(DataAccessException.class);

        assertThat(service.toldOfCustomer(anna)).hasSize(1);
        assertThat(reservedOf(anna)).isZero();
    }

    @Test
    void fifty_orders_at_once_never_exceed_the_available_credit() throws Exception {
        String anna = customerWhoMayOwe(17_500);

        atOnce(IntStream.range(0, 50)
                .mapToObj(n -> reserve(anna, "order-" + n, 1_000))
                .toList());

        List<SpecificRecord> told = service.toldOfCustomer(anna);
        assertThat(told).filteredOn(CreditReserved.class::isInstance).hasSize(17);
        assertThat(told).filteredOn(CreditRejected.class::isInstance).hasSize(33);
        assertThat(told)
                .extracting(Events::version)
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 51).boxed().toList());
        assertThat(customers.credit(anna)).contains(new Credit(anna, 17_500, 17_000, 500));
    }

    @Test
    void events_come_from_the_queue_and_are_applied_once() throws Exception {
        String anna = customerWhoMayOwe(10_000);
        long before = service.consumer().duplicatesDropped();
        UUID event = UUID.randomUUID();

        service.deliver(event, reserve(anna, ORDER, 6_000));
        service.deliver(event, reserve(anna, ORDER, 6_000));
        service.deliver(UUID.randomUUID(), paid(anna, ORDER, 6_000));

        await().atMost(RunningCustomers.SOON)
                .until(() -> service.toldOfCustomer(anna).size() == 3);
        assertThat(service.toldOfCustomer(anna).subList(1, 3))
                .hasExactlyElementsOfTypes(CreditReserved.class, CreditReleased.class);
        assertThat(service.consumer().duplicatesDropped()).isEqualTo(before + 1);
    }

    /** Each in a thread of its own; they begin together. */
    private static void atOnce(List<CreditReservationRequested> requests) throws Exception {
        CyclicBarrier together = new CyclicBarrier(requests.size());
        ExecutorService threads = Executors.newFixedThreadPool(requests.size());
        try {
            List<Future<?>> running = new ArrayList<>();
            for (CreditReservationRequested request : requests) {
                running.add(threads.submit(() -> {
                    together.await();
                    service.handle(request);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    private String customerWhoMayOwe(long creditLimitCents) {
        Profile anna = new Profile("Anna", "anna@example.org", "NORTH", null);
        return customers.register(anna, creditLimitCents).customerId();
    }

    private long reservedOf(String customerId) {
        return customers.credit(customerId).orElseThrow().reservedCents();
    }

    private static SpecificRecord lastToldOf(String customerId) {
        List<SpecificRecord> told = service.toldOfCustomer(customerId);
        return told.get(told.size() - 1);
    }
}
