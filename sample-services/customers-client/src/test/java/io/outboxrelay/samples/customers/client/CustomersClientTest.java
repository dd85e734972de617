package io.outboxrelay.samples.customers.client;

import static io.outboxrelay.samples.customers.client.ScriptedService.answer;
import static io.outboxrelay.samples.customers.client.ScriptedService.hangUp;
import static io.outboxrelay.samples.customers.client.ScriptedService.problem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.customers.client.CustomersClient.Settings;
import io.outboxrelay.samples.customers.client.CustomersUnavailable.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What callers get in each mood of the service. */
class CustomersClientTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(1);

    /** Only the script makes it fail, and the circuit stays closed. */
    private static final Settings PATIENT = new Settings(LONG, LONG, 3, SHORT, 1_000, LONG);

    /** Waits for answers that do not come, on a busy machine even before the question has arrived. */
    private static final Settings IMPATIENT = new Settings(LONG, Duration.ofSeconds(1), 3, SHORT, 1_000, LONG);

    private static final String ANNA = """
            {"customer_id": "4711", "version": 3, "name": "Anna", "email": "anna@example.org", "region": "NORTH",
             "country": null, "credit_limit_cents": 50000}
            """;

    private final ScriptedService service = new ScriptedService();

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void a_customer_is_found_and_the_request_names_the_version_of_the_api() {
        service.plays(answer(200, ANNA));

        Optional<Customer> found = patient().find("4711");

        assertThat(found).contains(new Customer("4711", 3, "Anna", "anna@example.org", "NORTH", null, 50_000));
        assertThat(service.requests()).containsExactly("/customers/4711 1");
    }

    @Test
    void credit_customers_of_a_region_and_reference_data_are_read() {
        CustomersClient client = patient();

        service.plays(answer(200, """
                {"customer_id": "4711", "credit_limit_cents": 500, "reserved_cents": 200, "available_cents": 300}
                """));
        assertThat(client.credit("4711")).isEqualTo(new Credit("4711", 500, 200, 300));
        service.plays(answer(200, "[" + ANNA + "]"));
        assertThat(client.ofRegion("NORTH")).extracting(Customer::name).containsExactly("Anna");
        service.plays(answer(200, """
                [{"code": "SE", "version": 1, "name": "Sweden", "currency": "SEK"}]
                """));
        assertThat(client.countries()).containsExactly(new Country("SE", 1, "Sweden", "SEK"));
        service.plays(answer(200, """
                [{"code": "SEK", "version": 1, "name": "Swedish krona", "minor_digits": 2}]
                """));
        assertThat(client.currencies()).containsExactly(new Currency("SEK", 1, "Swedish krona", 2));
        assertThat(service.requests())
                .containsExactly(
                        "/customers/4711/credit 1", "/customers?region=NORTH 1", "/countries 1", "/currencies 1");
    }

    @Test
    void an_id_is_one_segment_of_the_path_whatever_it_contains() {
        service.plays(answer(200, ANNA));

        patient().find("a/b?c d");

        assertThat(service.requests()).containsExactly("/customers/a%2Fb%3Fc%20d 1");
    }

    @Test
    void a_missing_customer_is_an_answer_and_not_a_failure() {
        service.plays(problem(404, "There is no customer 4711"));

        assertThat(patient().find("4711")).isEmpty();
        assertThatThrownBy(() -> patient().credit("4711"))
                .isInstanceOf(NoSuchCustomer.class)
                .hasMessageContaining("4711");
        assertThat(service.requests()).hasSize(2);
    }

    @Test
    void a_missing_list_is_a_failure_and_not_empty() {
        service.plays(problem(404, "No static resource countries"));

        CustomersUnavailable failure = failure(() -> patient().countries());

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure).hasMessageContaining("has nothing at /countries");
    }

    @Test
    void unknown_fields_are_ignored() {
        service.plays(answer(200, ANNA.replace("{", "{\"nickname\": \"Annie\", ")));

        assertThat(patient().find("4711")).isPresent();
    }

    @Test
    void a_server_error_and_a_lost_connection_are_retried() {
        service.plays(problem(503, "one moment"), hangUp(), answer(200, ANNA));

        assertThat(patient().find("4711")).isPresent();
        assertThat(service.requests()).hasSize(3);
    }

    @Test
    void after_the_last_attempt_the_failure_has_service_address_and_the_service_s_message() {
        service.plays(problem(503, "The database is away"));

        CustomersUnavailable failure = failure(() -> patient().find("4711"));

        assertThat(service.requests()).hasSize(3);
        assertThat(failure.reason()).isEqualTo(Reason.FAILED);
        assertThat(failure.worthTryingLater()).isTrue();
        assertThat(failure.address()).isEqualTo(service.address());
        assertThat(failure)
                .hasMessage(("The customers service at %s failed at GET /customers/{id}: 503, The database is away;"
                                + " it makes sense to try again later")
                        .formatted(service.address()));
    }

    @Test
    void an_unreachable_service_is_named() throws IOException {
        URI nobody = URI.create("http://127.0.0.1:" + portOfNobody());

        CustomersUnavailable failure = failure(() -> new CustomersClient(nobody, PATIENT).find("4711"));

        assertThat(failure.reason()).isEqualTo(Reason.NOT_REACHED);
        assertThat(failure.worthTryingLater()).isTrue();
        assertThat(failure).hasMessageContaining(nobody.toString()).hasMessageContaining("could not be reached");
    }

    @Test
    void a_timeout_is_not_retried_at_once() {
        service.plays(service.silence());

        CustomersUnavailable failure = failure(() -> impatient().find("4711"));

        assertThat(failure.reason()).isEqualTo(Reason.TOO_SLOW);
        assertThat(failure.worthTryingLater()).isTrue();
        assertThat(service.requests()).hasSizeLessThan(2);
    }

    @Test
    void an_answer_that_does_not_end_times_out() {
        service.plays(service.halfAnAnswer());

        assertThat(failure(() -> impatient().find("4711")).reason()).isEqualTo(Reason.TOO_SLOW);
        assertThat(service.requests()).hasSizeLessThan(2);
    }

    @Test
    void a_refused_request_is_not_retried() {
        service.plays(problem(406, "This service serves version 2 of its API, not 1"));

        CustomersUnavailable failure = failure(() -> patient().find("4711"));

        assertThat(service.requests()).hasSize(1);
        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.worthTryingLater()).isFalse();
        assertThat(failure)
                .hasMessageContaining("406, This service serves version 2 of its API, not 1")
                .hasMessageContaining("it does not help to try again later");
    }

    @Test
    void an_unexpected_answer_is_not_understood() {
        service.plays(answer(200, "{\"customer_id\": 1, \"version\": \"x\"}"));

        CustomersUnavailable failure = failure(() -> patient().find("4711"));

        assertThat(failure.reason()).isEqualTo(Reason.NOT_UNDERSTOOD);
        assertThat(failure.worthTryingLater()).isFalse();
        assertThat(service.requests()).hasSize(1);
    }

    @Test
    void a_service_that_fails_too_often_is_not_called_for_a_while() {
        service.plays(problem(500, "broken"));
        CustomersClient client = new CustomersClient(service.address(), new Settings(LONG, LONG, 1, SHORT, 4, LONG));
        Collections.nCopies(4, client).forEach(one -> failure(() -> one.find("4711")));

        CustomersUnavailable failure = failure(() -> client.find("4711"));

        assertThat(failure.reason()).isEqualTo(Reason.LEFT_ALONE);
        assertThat(failure.worthTryingLater()).isTrue();
        assertThat(service.requests()).hasSize(4);
    }

    @Test
    void a_recovered_service_is_called_again() {
        service.plays(problem(500, "broken"));
        CustomersClient client = new CustomersClient(service.address(), new Settings(LONG, LONG, 1, SHORT, 4, SHORT));
        Collections.nCopies(4, client).forEach(one -> failure(() -> one.find("4711")));
        service.plays(answer(200, ANNA));

        await().atMost(LONG)
                .ignoreExceptionsInstanceOf(CustomersUnavailable.class)
                .until(() -> client.find("4711").isPresent());
    }

    @Test
    void refusals_are_answers_and_do_not_count_against_the_service() {
        service.plays(problem(400, "no"));
        CustomersClient client = new CustomersClient(service.address(), new Settings(LONG, LONG, 1, SHORT, 2, LONG));

        Collections.nCopies(10, client)
                .forEach(one ->
                        assertThat(failure(() -> one.find("4711")).reason()).isEqualTo(Reason.REFUSED));

        assertThat(service.requests()).hasSize(10);
    }

    @Test
    void many_threads_may_ask_one_client() throws Exception {
        service.plays(answer(200, ANNA));
        CustomersClient client = patient();
        ExecutorService threads = Executors.newFixedThreadPool(20);
        Callable<Optional<Customer>> question = () -> client.find("4711");

        List<Future<Optional<Customer>>> answers = threads.invokeAll(Collections.nCopies(200, question));
        threads.shutdown();

        for (Future<Optional<Customer>> answer : answers) {
            assertThat(answer.get()).isPresent();
        }
    }

    @Test
    void settings_out_of_range_are_named() {
        assertThatThrownBy(() -> new Settings(Duration.ZERO, LONG, 3, SHORT, 10, LONG))
                .hasMessageContaining("connectTimeout must be 1 ms or more, not PT0S");
        assertThatThrownBy(() -> new Settings(LONG, Duration.ZERO, 3, SHORT, 10, LONG))
                .hasMessageContaining("readTimeout must be");
        assertThatThrownBy(() -> new Settings(LONG, LONG, 0, SHORT, 10, LONG))
                .hasMessageContaining("attempts must be at least 1, not 0");
        assertThatThrownBy(() -> new Settings(LONG, LONG, 3, Duration.ZERO, 10, LONG))
                .hasMessageContaining("firstBackoff must be");
        assertThatThrownBy(() -> new Settings(LONG, LONG, 3, SHORT, 1, LONG))
                .hasMessageContaining("window must be at least 2, not 1");
        assertThatThrownBy(() -> new Settings(LONG, LONG, 3, SHORT, 10, Duration.ZERO))
                .hasMessageContaining("leftAloneFor must be");
    }

    private CustomersClient patient() {
        return new CustomersClient(service.address(), PATIENT);
    }

    private CustomersClient impatient() {
        return new CustomersClient(service.address(), IMPATIENT);
    }

    private static CustomersUnavailable failure(Callable<?> question) {
        return catchThrowableOfType(CustomersUnavailable.class, question::call);
    }

    private static int portOfNobody() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
