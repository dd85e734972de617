package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.demo.ShopClient.Order;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The shop as a whole: four services as processes, each with a database server of its own, two relays, one broker. Each
 * test has customers and products of its own.
 */
class ShopIT {

    private static final Duration LONGEST = Duration.ofMinutes(2);
    private static final long PRICE = 1_000;
    private static final int DESK = 1_200;
    private static final int PHONE = 375;

    private static Stage stage;
    private static ShopClient client;

    @BeforeAll
    static void open() {
        DemoSettings.Place place = new DemoSettings.Place(
                Path.of("target/shop"),
                Path.of("../../relay/target/outbox-relay.jar"),
                Path.of("../shop-contracts/contracts"));
        stage = new Stage(
                place,
                Stage.Houses.OWN,
                Map.of("SHOP_SAGA_TIMEOUT", "20s", "STOREFRONT_CALLS_TIMEOUT", "20s", "STOREFRONT_OWNORDER", "5s"),
                line -> {});
        stage.start();
        client = new ShopClient(stage);
    }

    @AfterAll
    static void close() {
        stage.close();
    }

    @Test
    void fifty_orders_at_once_never_exceed_a_customer_s_credit_and_every_rejected_one_is_compensated() {
        String lamp = client.product("lamp", PRICE, 1_000);
        String anna = client.customer("Anna", "NORTH", 10 * PRICE);

        List<String> orders = client.orderAtOnce(50, anna, lamp, 1);

        awaitEnd(orders);
        assertThat(orders)
                .filteredOn(order -> client.state(order).equals("confirmed"))
                .hasSize(10);
        assertThat(orders)
                .filteredOn(order -> client.state(order).equals("rejected"))
                .hasSize(40);
        assertThat(client.availableCents(anna)).isZero();
        await().atMost(LONGEST)
                .untilAsserted(() -> assertThat(client.stock(lamp)).isEqualTo(990));
    }

    @ParameterizedTest
    @EnumSource(names = {"CUSTOMERS", "PRODUCTS", "ORDERS"})
    void every_saga_ends_well_although_a_service_is_killed_in_the_middle_and_started_again(Service victim) {
        String chair = client.product("chair", PRICE, 1_000);
        String bert = client.customer("Bert", "SOUTH", 5 * PRICE);
        List<String> orders;
        long openAtTheKill;

        try (SagaBrake brake = new SagaBrake(stage)) {
            brake.hold(Service.PRODUCTS);
            orders = client.orderAtOnce(20, bert, chair, 1);
            try (RowLock rows = whatItNeeds(victim, bert, chair)) {
                brake.letGo(Service.PRODUCTS);
                await().atMost(LONGEST).until(rows::areWaitedFor);
                stage.member(victim).kill();
                openAtTheKill = openSagas(bert);
            }
        }
        stage.startAgain(stage.member(victim));
        stage.awaitReady(victim);

        assertThat(openAtTheKill).isPositive();
        awaitEnd(orders);
        assertSoldWhatTheOrdersSay(orders, bert, chair, 5 * PRICE, 1_000);
    }

    @Test
    void an_order_is_in_the_views_as_soon_as_the_storefront_has_answered_to_its_customer() {
        String cup = client.product("cup", PRICE, 100);
        String jane = client.customer("Jane", "COAST", 5 * PRICE);
        awaitEverywhere();

        for (int n = 0; n < 3; n++) {
            String order = client.orderAtTheStorefront(jane, cup, 1);

            assertThat(client.regionView("COAST")).contains(order);
        }
    }

    @Test
    void an_order_placed_on_the_page_by_keyboard_alone_is_seen_from_step_to_step_until_it_is_confirmed()
            throws Exception {
        client.product("tray", PRICE, 100);
        client.customer("Gwen", "HARBOUR", 5 * PRICE);
        awaitEverywhere();

        try (SagaBrake brake = new SagaBrake(stage);
                Visitor gwen =
                        Visitor.open(stage.url(Service.STOREFRONT), DESK, Path.of("target/shop/page-desk.png"))) {
            gwen.fillIn("Gwen", "tray", 2);
            gwen.sees(() -> assertThat(gwen.text("credit")).isEqualTo("€50.00 of €50.00 credit available"));
            assertThat(gwen.text("total")).isEqualTo("€20.00");

            brake.hold(Service.PRODUCTS);
            String order = gwen.placeOrder();
            assertThat(gwen.text("summary")).isEqualTo("2 × tray for Gwen, €20.00");
            gwen.sees(() -> assertThat(gwen.text("region-customers")).contains("Gwen", order, "€20.00"));
            gwen.sees(() -> assertThat(gwen.text("state")).isEqualTo("waiting for stock"));
            gwen.sees(() -> assertThat(gwen.steps()).containsExactly("Order placed", "Requests stock reservation"));
            assertThat(gwen.text("summary")).isEqualTo("2 × tray for Gwen, €20.00");

            brake.hold(Service.CUSTOMERS);
            brake.letGo(Service.PRODUCTS);
            gwen.sees(() -> assertThat(gwen.text("state")).isEqualTo("waiting for credit"));
            gwen.sees(() ->
                    assertThat(gwen.steps()).hasSize(4).endsWith("Stock reserved", "Requests credit reservation"));

            brake.letGo(Service.CUSTOMERS);
            gwen.sees(() -> assertThat(gwen.text("state")).isEqualTo("confirmed"));
            gwen.sees(() -> assertThat(gwen.steps()).hasSize(6).endsWith("Credit reserved", "Order confirmed"));
            gwen.sees(() -> assertThat(gwen.text("credit")).isEqualTo("€30.00 of €50.00 credit available"));

            String time = "(\\d+ ms|\\d+\\.\\d s|\\d+ s|\\d+ min)";
            gwen.sees(() -> assertThat(gwen.ways())
                    .hasSize(6)
                    .allMatch(way ->
                            way.toString().matches("(start|\\+\\d+\\.\\d\\d s) lane \\d+ %1$s %1$s".formatted(time))));

            gwen.hearsFromTheOwners("Gwen, gwen@shop.example, HARBOUR", "98 in stock, 2 reserved");
            gwen.chooseRegion("HARBOUR");
            gwen.sees(() -> assertThat(gwen.text("region-customers"))
                    .contains("Gwen", "€30.00 left", order, "€20.00", "confirmed"));
            gwen.sees(() -> assertThat(gwen.ages()).hasSize(4).allMatch(age -> age.matches("\\d\\.\\d s")));
            gwen.sees(() ->
                    assertThat(gwen.text("banner")).isEqualTo("All views are current; publishing: relay-1, relay-2."));
            assertThat(gwen.complaints()).isEmpty();
        }
    }

    @Test
    @SuppressWarnings("try") // The brake is only there, so that no deadline passes while the relays are frozen.
    void an_order_placed_while_no_relay_runs_is_on_the_page_at_once_and_arrives_when_a_relay_is_back()
            throws Exception {
        client.product("bowl", PRICE, 100);
        client.customer("Ines", "LAKE", 5 * PRICE);
        awaitEverywhere();

        try (SagaBrake brake = new SagaBrake(stage);
                Visitor ines =
                        Visitor.open(stage.url(Service.STOREFRONT), DESK, Path.of("target/shop/page-no-relay.png"))) {
            ines.sees(() -> assertThat(ines.commands())
                    .contains("kill -9 " + stage.relays().get(0).pid())
                    .contains("kill -STOP " + stage.member(Service.ORDERS).pid()));
            ines.sees(() -> assertThat(ines.lanesOf("orders")).matches("orders (\\d ){8}– \\d.*"));
            ines.fillIn("Ines", "bowl", 1);
            stage.relays().forEach(Member::freeze);
            String order;
            try {
                ines.sees(() -> assertThat(ines.text("banner")).startsWith("No relay is publishing."));
                order = ines.placeOrder();
                assertThat(ines.text("state")).isEqualTo("not yet arrived");
                ines.sees(() -> assertThat(ines.text("region-customers")).contains("Ines", order, "not yet arrived"));
                ines.sees(() -> assertThat(ines.ways())
                        .hasSize(2)
                        .allMatch(way -> way.toString().endsWith(", no relay waiting not yet")));
                ines.sees(() -> assertThat(ines.lanesOf("orders")).matches("orders – – 0 1 2 3 4 5 6 7 \\d+, .*"));
            } finally {
                stage.relays().forEach(Member::thaw);
            }
            ines.sees(() -> assertThat(ines.text("state")).isEqualTo("confirmed"));
            ines.sees(() -> assertThat(ines.text("region-customers"))
                    .contains(order, "confirmed")
                    .doesNotContain("not yet arrived"));
            assertThat(ines.complaints()).isEmpty();
        }
    }

    @Test
    void an_order_beyond_the_credit_is_shown_rejected_and_compensated_on_a_phone_whose_screen_the_page_fits()
            throws Exception {
        client.product("vase", PRICE, 100);
        client.customer("Hugo", "HILLS", PRICE);
        awaitEverywhere();

        try (Visitor hugo = Visitor.open(stage.url(Service.STOREFRONT), PHONE, Path.of("target/shop/page-phone.png"))) {
            hugo.fillIn("Hugo", "vase", 2);
            String order = hugo.placeOrder();

            hugo.sees(() -> assertThat(hugo.text("state")).isEqualTo("rejected: not enough credit"));
            hugo.sees(() -> assertThat(hugo.steps())
                    .containsExactly(
                            "Order placed",
                            "Requests stock reservation",
                            "Stock reserved",
                            "Requests credit reservation",
                            "Credit refused: not enough credit",
                            "Compensates: releases stock",
                            "Stock released",
                            "Order rejected: not enough credit"));
            hugo.sees(() -> assertThat(hugo.text("credit")).isEqualTo("€10.00 of €10.00 credit available"));
            hugo.hearsFromTheOwners("100 in stock, 0 reserved");
            hugo.chooseRegion("HILLS");
            hugo.sees(() -> assertThat(hugo.text("region-customers")).contains("Hugo", order, "rejected"));
            assertThat(hugo.widerThanTheScreen()).isEmpty();
            assertThat(hugo.complaints()).isEmpty();
        }
    }

    @Test
    void orders_without_an_answer_time_out_and_their_reservations_are_released() {
        String rug = client.product("rug", PRICE, 10);
        String carl = client.customer("Carl", "SOUTH", 10 * PRICE);
        stage.member(Service.CUSTOMERS).freeze();
        String order;
        try {
            order = client.order(carl, rug, 4);
            await().atMost(LONGEST).until(() -> client.state(order).equals("releasing_credit"));
        } finally {
            stage.member(Service.CUSTOMERS).thaw();
        }

        awaitEnd(List.of(order));
        assertThat(client.order(order)).isEqualTo(new Order("rejected", "TIMED_OUT"));
        assertThat(client.stock(rug)).isEqualTo(10);
        assertThat(client.availableCents(carl)).isEqualTo(10 * PRICE);
    }

    @Test
    void events_that_are_all_delivered_a_second_time_change_nothing() {
        String bed = client.product("bed", PRICE, 100);
        String dora = client.customer("Dora", "EAST", 3 * PRICE);
        List<String> orders = client.orderAtOnce(5, dora, bed, 1);
        awaitEnd(orders);
        awaitEverywhere();
        String before = everything();
        long dropped = stage.duplicatesDropped();

        for (Service source : Service.SOURCES) {
            replay(source, "--all", "--rate", "2000", "--reason", "the same once more");
        }

        await().atMost(LONGEST)
                .untilAsserted(() -> assertThat(stage.duplicatesDropped()).isGreaterThan(dropped + 20));
        awaitEmptyQueues();
        assertThat(everything()).isEqualTo(before);
        assertSoldWhatTheOrdersSay(orders, dora, bed, 3 * PRICE, 100);
    }

    @Test
    void while_the_customers_database_is_down_orders_are_accepted_and_wait_and_the_storefront_answers_in_part() {
        String pan = client.product("pan", PRICE, 100);
        String emil = client.customer("Emil", "WEST", 10 * PRICE);
        String early = client.order(emil, pan, 1);
        awaitEnd(List.of(early));
        stage.server(Service.CUSTOMERS).stop();
        String late;
        try {
            late = client.order(emil, pan, 1);
            await().atMost(LONGEST).until(() -> client.state(late).equals("awaiting_credit"));

            await().atMost(LONGEST)
                    .untilAsserted(() ->
                            assertThat(client.missingParts(early)).containsExactlyInAnyOrder("customer", "credit"));
            assertThat(client.regionView("WEST")).contains(emil);
            await().atMost(LONGEST).until(() -> client.ageSeconds("customers") > 5);
        } finally {
            stage.server(Service.CUSTOMERS).start();
        }

        awaitEnd(List.of(late));
        await().atMost(LONGEST).until(() -> client.ageSeconds("customers") < 5);
        await().atMost(LONGEST)
                .untilAsserted(() -> assertThat(client.missingParts(early)).isEmpty());
        assertThat(client.availableCents(emil))
                .isEqualTo(10 * PRICE - (client.state(late).equals("confirmed") ? 2 : 1) * PRICE);
    }

    @Test
    void the_age_of_copies_rises_while_no_relay_runs_and_falls_when_one_does() {
        await().atMost(LONGEST).until(() -> client.ageSeconds("products") < 5);
        stage.relays().forEach(Member::freeze);
        try {
            await().atMost(LONGEST).until(() -> client.ageSeconds("products") > 8);
            assertThat(client.replicaAgeSeconds("products")).isGreaterThan(5);
        } finally {
            stage.relays().forEach(Member::thaw);
        }
        await().atMost(LONGEST)
                .until(() -> client.ageSeconds("products") < 5 && client.replicaAgeSeconds("products") < 5);
    }

    @Test
    void replicas_and_views_are_rebuilt_while_new_events_arrive() {
        String desk = client.product("desk", PRICE, 1_000);
        String fay = client.customer("Fay", "NORTH", 1_000 * PRICE);
        awaitEnd(client.orderAtOnce(5, fay, desk, 1));
        awaitEverywhere();

        empty(Service.ORDERS, Path.of("../orders/rebuild-replicas.sql"));
        stage.startToCatchUp(
                Service.STOREFRONT, () -> empty(Service.STOREFRONT, Path.of("../storefront/rebuild-views.sql")));
        client.rename(desk, "writing desk", PRICE);
        replay(Service.CUSTOMERS, "--all", "--queue", "orders.replicas", "--reason", "rebuilt");
        replay(Service.PRODUCTS, "--all", "--queue", "orders.replicas", "--reason", "rebuilt");
        rebuildViews();
        List<String> more = client.orderAtOnce(5, fay, desk, 1);
        awaitEnd(more);

        awaitEverywhere();
        awaitEmptyQueues();
        if (stage.isRabbitMq()) {
            assertThat(stage.home(Service.STOREFRONT)
                            .admin()
                            .sql("SELECT aggregate_type, aggregate_id FROM out_of_order")
                            .query()
                            .listOfRows())
                    .isEmpty();
        }
        assertThat(replica()).isEqualTo(owned());
        assertThat(stage.ledger().audit(stage.ledger().written()).differing()).isZero();
        await().atMost(LONGEST)
                .untilAsserted(
                        () -> assertThat(client.viewOfAvailableCents(fay)).isEqualTo(client.availableCents(fay)));
    }

    private static void awaitEnd(List<String> orders) {
        await().atMost(LONGEST)
                .untilAsserted(() -> assertThat(orders)
                        .extracting(client::state)
                        .allMatch(Set.of("confirmed", "rejected", "cancelled", "paid")::contains));
    }

    private static void awaitEverywhere() {
        Set<UUID> written = stage.ledger().written();
        await().atMost(LONGEST).until(() -> stage.ledger().settled(written));
    }

    private static void awaitEmptyQueues() {
        await().atMost(LONGEST).until(client::queuesAreEmpty);
    }

    private static void assertSoldWhatTheOrdersSay(
            List<String> orders, String customer, String product, long creditCents, int stock) {
        long confirmed = orders.stream()
                .filter(order -> client.state(order).equals("confirmed"))
                .count();
        await().atMost(LONGEST).untilAsserted(() -> {
            assertThat(client.availableCents(customer)).isEqualTo(creditCents - confirmed * PRICE);
            assertThat(client.stock(product)).isEqualTo(stock - confirmed);
        });
        assertThat(confirmed * PRICE).isLessThanOrEqualTo(creditCents);
    }

    /** The rows that a service locks for any step of the sagas of a customer's orders of a product. */
    private static RowLock whatItNeeds(Service service, String customer, String product) {
        Home home = stage.home(service);
        return switch (service) {
            case CUSTOMERS -> RowLock.of(home, "customer", "customer_id", customer);
            case PRODUCTS -> RowLock.of(home, "product", "product_id", product);
            case ORDERS -> RowLock.of(home, "orders", "customer_id", customer);
            case STOREFRONT -> throw new IllegalArgumentException("The storefront takes no part in sagas");
        };
    }

    /** Those that wait have a deadline, and no others. */
    private static long openSagas(String customer) {
        return stage.home(Service.ORDERS)
                .admin()
                .sql("SELECT count(*) FROM orders WHERE customer_id = :customer AND deadline IS NOT NULL")
                .param("customer", customer)
                .query(Long.class)
                .single();
    }

    /** With a queue for the history, which takes a quorum queue. */
    private static void rebuildViews() {
        for (Service source : Service.SOURCES) {
            if (!stage.isRabbitMq()) {
                replay(source, "--all", "--queue", "storefront.events", "--reason", "rebuilt");
            } else if (source == Service.ORDERS) {
                subscribe(source);
            } else {
                subscribe(source, "--without-end");
            }
        }
    }

    private static void subscribe(Service source, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("--queue", "storefront.events", "--from", "BEGINNING", "--reason", "rebuilt"));
        arguments.addAll(List.of(more));
        sendAgain("subscribe", source, arguments.toArray(String[]::new));
    }

    private static void replay(Service source, String... arguments) {
        sendAgain("replay", source, arguments);
    }

    private static void sendAgain(String command, Service source, String... arguments) {
        Path output = Path.of("target/shop/relay-%s-%s-%s.log".formatted(command, source.label(), UUID.randomUUID()));
        assertThat(stage.sendAgain(command, source, output, arguments))
                .as(output.toString())
                .hasValue(0);
    }

    private static void empty(Service service, Path script) {
        String sql;
        try {
            sql = Files.readString(script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        stage.home(service).admin().sql(sql).update();
    }

    /** The orders service's copy of the products, and the originals. */
    private static List<String> replica() {
        return stage.home(Service.ORDERS)
                .admin()
                .sql("SELECT product_id || ' ' || name || ' ' || price_cents FROM product_replica ORDER BY 1")
                .query(String.class)
                .list();
    }

    private static List<String> owned() {
        return stage.home(Service.PRODUCTS)
                .admin()
                .sql("SELECT concat(product_id, ' ', name, ' ', price_cents) FROM product ORDER BY 1")
                .query(String.class)
                .list();
    }

    /** All that services keep besides outbox, inbox, freshness and heartbeats. */
    private static String everything() {
        return String.join(
                "\n",
                List.of(
                        rows(
                                Service.CUSTOMERS,
                                "SELECT customer_id, version, available_cents FROM customer"
                                        + " JOIN credit USING (customer_id) ORDER BY 1"),
                        rows(Service.PRODUCTS, "SELECT product_id, version, stock, reserved FROM product ORDER BY 1"),
                        rows(Service.ORDERS, "SELECT order_id, state, version FROM orders ORDER BY 1"),
                        rows(Service.STOREFRONT, "SELECT order_id, state, version FROM order_view ORDER BY 1")));
    }

    private static String rows(Service service, String sql) {
        return stage.home(service).admin().sql(sql).query().listOfRows().toString();
    }
}
