package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.samples.ServiceDatabase;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LedgerTest {

    private final UUID order = UUID.randomUUID();
    private ServiceDatabase orders;
    private ServiceDatabase storefront;
    private Ledger ledger;

    @BeforeEach
    void open() {
        orders = ServiceDatabase.migrated("orders");
        storefront = ServiceDatabase.migrated("storefront");
        ledger = new Ledger(orders.adminDataSource(), storefront.adminDataSource());
        orders.admin()
                .sql("INSERT INTO orders VALUES (?, 2, 'paid', 'anna', 'lamp', 1, 1990)")
                .param(order)
                .update();
        storefront
                .admin()
                .sql("INSERT INTO order_view VALUES (?, 2, 'paid', 'anna', 'lamp', 1, 1990, 2, now())")
                .param(order)
                .update();
    }

    @AfterEach
    void close() {
        orders.close();
        storefront.close();
    }

    @Test
    void passes_when_every_event_was_handled() {
        handled(written(1));
        handled(written(2));

        Verdict verdict = Verdict.of(ledger.audit(), 3, "rabbitmq-3.10.8");

        assertThat(verdict.passed()).isTrue();
        assertThat(verdict.line())
                .isEqualTo("demo passed: written=2 published=2 handled=2 duplicates_dropped=3 lost=0 out_of_order=0"
                        + " broker=rabbitmq-3.10.8");
    }

    @Test
    void fails_when_an_event_was_published_and_never_handled() {
        handled(written(1));
        written(2);

        Verdict verdict = Verdict.of(ledger.audit(), 0, "rabbitmq-3.10.8");

        assertThat(verdict.passed()).isFalse();
        assertThat(verdict.line())
                .startsWith("demo failed: written=2 published=2 handled=1 duplicates_dropped=0 lost=1 out_of_order=0");
    }

    @Test
    void fails_when_an_event_is_still_in_the_outbox() {
        handled(written(1));
        handled(written(2));
        orders.admin().sql("""
                        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES ('order', '1', 'OrderPaid', '', 'application/avro')
                        """).update();

        assertThat(ledger.counts().drained()).isFalse();
        assertThat(ledger.audit().flawless()).isFalse();
    }

    @Test
    void fails_when_an_event_was_handled_that_was_never_committed() {
        handled(written(1));
        handled(written(2));
        handled(UUID.randomUUID());

        assertThat(ledger.audit().invented()).isEqualTo(1);
        assertThat(ledger.audit().flawless()).isFalse();
    }

    @Test
    void fails_when_versions_came_out_of_order() {
        handled(written(1));
        UUID event = written(2);
        handled(event);
        storefront
                .admin()
                .sql("INSERT INTO out_of_order VALUES (?, ?, 1, 2)")
                .param(event)
                .param(order)
                .update();

        assertThat(ledger.audit().outOfOrder()).isEqualTo(1);
        assertThat(ledger.audit().flawless()).isFalse();
    }

    @Test
    void fails_when_an_event_was_applied_twice() {
        handled(written(1));
        handled(written(2));
        storefront.admin().sql("UPDATE order_view SET events_applied = 3").update();

        assertThat(ledger.audit().differing()).isEqualTo(1);
        assertThat(ledger.audit().flawless()).isFalse();
    }

    private UUID written(int version) {
        UUID event = UUID.randomUUID();
        orders.admin()
                .sql("INSERT INTO order_history VALUES (?, ?, ?, 'OrderPaid', now())")
                .param(event)
                .param(order)
                .param(version)
                .update();
        return event;
    }

    private void handled(UUID event) {
        storefront
                .admin()
                .sql("INSERT INTO inbox (consumer, event_id) VALUES ('storefront', ?)")
                .param(event)
                .update();
    }
}
