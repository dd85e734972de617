package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

/** The demo's audit detects faults: otherwise its "passed" would mean nothing. */
@Tag("server")
class LedgerTest {

    private final Map<Service, Home> homes = new EnumMap<>(Service.class);
    private final Ledger ledger = new Ledger(homes);

    @BeforeEach
    void open() {
        for (Service service : Service.values()) {
            Home home = new Home(service, service.kind().newDatabase());
            homes.put(service, home);
            home.prepare();
            Flyway.configure()
                    .dataSource(home.database().dataSource())
                    .locations("classpath:db/" + service.label())
                    .placeholders(Map.of("service_user", home.serviceUser()))
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    .load()
                    .migrate();
        }
    }

    @AfterEach
    void close() {
        homes.values().forEach(Home::close);
    }

    @Test
    void passes_when_every_event_was_published_and_applied_by_all_its_consumers() {
        UUID added = published(Service.PRODUCTS, "product", "ProductAdded");
        applied(Service.ORDERS, "orders.replicas", added);
        applied(Service.STOREFRONT, "storefront", added);
        UUID asked = published(Service.ORDERS, "order", "StockReservationRequested");
        applied(Service.PRODUCTS, "products", asked);
        applied(Service.STOREFRONT, "storefront", asked);

        Verdict verdict = verdict();

        assertThat(verdict.line())
                .isEqualTo("demo passed: written=2 published=2 handled=2 duplicates_dropped=3 lost=0 out_of_order=0"
                        + " broker=rabbitmq-3.10.8");
        assertThat(verdict.passed()).isTrue();
        assertThat(ledger.settled(ledger.written())).isTrue();
    }

    @Test
    void fails_when_an_event_was_published_and_never_applied() {
        published(Service.CUSTOMERS, "country", "CountryPublished");

        assertThat(verdict().line())
                .startsWith("demo failed: written=1 published=1 handled=0 duplicates_dropped=3 lost=1 out_of_order=0");
        assertThat(ledger.settled(ledger.written())).isFalse();
    }

    @Test
    void fails_when_another_consumer_than_the_storefront_has_not_applied_an_event() {
        applied(Service.STOREFRONT, "storefront", published(Service.PRODUCTS, "reservation", "StockReserved"));

        assertThat(verdict().line())
                .startsWith("demo failed: written=1 published=1 handled=1")
                .contains(" lost=1 ");
    }

    @Test
    void fails_when_a_consumer_has_parked_an_event() {
        UUID added = published(Service.ORDERS, "order", "StockReservationRequested");
        applied(Service.STOREFRONT, "storefront", added);
        applied(Service.PRODUCTS, "products", added);
        admin(Service.PRODUCTS)
                .sql("""
                        INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type,
                            payload, headers, queue, state, reason)
                        VALUES ('products', :event, 'order', '1', '', '', '{}', 'products.orders', 'parked', 'failed')
                        """)
                .param("event", id(Service.PRODUCTS, added))
                .update();

        assertThat(verdict().line())
                .startsWith("demo failed: written=1 published=1 handled=1")
                .contains(" lost=1 ");
    }

    @Test
    void fails_when_an_event_is_still_in_an_outbox() {
        applied(Service.STOREFRONT, "storefront", written(Service.ORDERS, "order", "OrderConfirmed"));

        assertThat(verdict().line()).startsWith("demo failed: written=1 published=0 handled=1");
        assertThat(ledger.counts().backlog()).isEqualTo(1);
    }

    @Test
    void fails_when_an_event_was_applied_that_was_never_committed() {
        applied(Service.STOREFRONT, "storefront", published(Service.CUSTOMERS, "country", "CountryPublished"));
        applied(Service.STOREFRONT, "storefront", UUID.randomUUID());

        assertThat(verdict().line()).startsWith("demo failed").contains(" invented=1 ");
    }

    @Test
    void fails_when_versions_came_out_of_order() {
        applied(Service.STOREFRONT, "storefront", published(Service.CUSTOMERS, "country", "CountryPublished"));
        admin(Service.STOREFRONT)
                .sql("INSERT INTO out_of_order VALUES (gen_random_uuid(), 'country', 'AT', 1, 2)")
                .update();

        assertThat(verdict().line()).startsWith("demo failed").contains(" out_of_order=1 ");
    }

    @Test
    void fails_when_a_saga_has_not_ended_or_the_storefront_shows_an_order_differently() {
        applied(Service.STOREFRONT, "storefront", published(Service.CUSTOMERS, "country", "CountryPublished"));
        admin(Service.ORDERS).sql("""
                        INSERT INTO orders (order_id, version, state, customer_id, amount_cents, currency, placed_at,
                            changed_at, deadline)
                        VALUES (gen_random_uuid(), 2, 'awaiting_stock', 'anna', 1990, 'EUR', now(), now(), now())
                        """).update();

        assertThat(verdict().line()).startsWith("demo failed").contains(" differing_orders=1 open_orders=1 ");
    }

    private Verdict verdict() {
        return Verdict.of(ledger.audit(ledger.written()), 3, "rabbitmq-3.10.8");
    }

    private UUID published(Service source, String aggregateType, String type) {
        UUID event = written(source, aggregateType, type);
        admin(source).sql("DELETE FROM outbox").update();
        return event;
    }

    private UUID written(Service source, String aggregateType, String type) {
        UUID event = UUID.randomUUID();
        admin(source)
                .sql("""
                        INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES (:event, :aggregate_type, '1', :type, '', 'application/avro')
                        """)
                .param("event", id(source, event))
                .param("aggregate_type", aggregateType)
                .param("type", type)
                .update();
        return event;
    }

    private void applied(Service service, String consumer, UUID event) {
        admin(service)
                .sql("INSERT INTO inbox (consumer, event_id) VALUES (:consumer, :event)")
                .param("consumer", consumer)
                .param("event", id(service, event))
                .update();
    }

    private Object id(Service service, UUID event) {
        if (!homes.get(service).isMariaDb()) {
            return event;
        }
        return ByteBuffer.allocate(16)
                .putLong(event.getMostSignificantBits())
                .putLong(event.getLeastSignificantBits())
                .array();
    }

    private JdbcClient admin(Service service) {
        return homes.get(service).admin();
    }
}
