package io.outboxrelay.samples.products;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The products, and the events about them. */
@Tag("server")
class ProductsTest {

    private static final Offer LAMP = new Offer("Lamp", 1_990L, "EUR");
    private static final Offer CHEAPER = new Offer("Lamp", 990L, "EUR");

    private static RunningProducts service;

    @BeforeAll
    static void start() {
        service = new RunningProducts();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private final Products products = service.bean(Products.class);

    @Test
    void each_change_writes_one_event_with_the_whole_offer() {
        String lamp = products.add(LAMP, 10).productId();
        products.change(lamp, CHEAPER);

        List<SpecificRecord> told = service.toldOfProduct(lamp);
        assertThat(told).hasExactlyElementsOfTypes(ProductAdded.class, ProductChanged.class);
        assertThat(told).extracting(Events::version).containsExactly(1, 2);
        ProductAdded added = (ProductAdded) told.get(0);
        assertThat(new Offer(added.getName(), added.getPriceCents(), added.getCurrency()))
                .isEqualTo(LAMP);
        ProductChanged changed = (ProductChanged) told.get(1);
        assertThat(new Offer(changed.getName(), changed.getPriceCents(), changed.getCurrency()))
                .isEqualTo(CHEAPER);
    }

    @Test
    void a_change_without_effect_publishes_nothing() {
        Product lamp = products.add(LAMP, 10);

        assertThat(products.change(lamp.productId(), LAMP)).isEqualTo(lamp);
        assertThat(service.toldOfProduct(lamp.productId())).hasSize(1);
    }

    @Test
    void a_delivery_adds_to_the_stock_without_an_event() {
        Product lamp = products.add(LAMP, 10);

        Product delivered = products.deliver(lamp.productId(), 5);

        assertThat(delivered.stock()).isEqualTo(15);
        assertThat(delivered.version()).isEqualTo(1);
        assertThat(service.toldOfProduct(lamp.productId())).hasSize(1);
    }

    @Test
    void an_event_has_the_time_of_the_database() {
        Instant before = now();
        String lamp = products.add(LAMP, 10).productId();
        Instant after = now();

        assertThat(Events.happenedAt(service.toldOfProduct(lamp).get(0))).isBetween(before, after);
    }

    @Test
    void a_heartbeat_has_the_time_of_the_database() {
        await().atMost(RunningProducts.SOON)
                .until(() -> !service.told("heartbeat", "products").isEmpty());

        assertThat(Events.happenedAt(service.told("heartbeat", "products").get(0)))
                .isBetween(now().minus(Duration.ofMinutes(10)), now());
    }

    /** Seconds since 1970, which are the same in every time zone. */
    private static Instant now() {
        long micros = service.admin()
                .sql("SELECT CAST(unix_timestamp(current_timestamp(6)) * 1000000 AS integer)")
                .query(Long.class)
                .single();
        return Instant.EPOCH.plusNanos(micros * 1_000);
    }
}
