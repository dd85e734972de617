package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.samples.chassis.Freshness;
import io.outboxrelay.samples.orders.Replicas.Customer;
import io.outboxrelay.samples.orders.Replicas.Product;
import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class ReplicasTest {

    private static final Path REBUILD = Path.of("rebuild-replicas.sql");

    private static RunningOrders shop;
    private static Replicas replicas;

    /** An event on its way, with the id that it keeps in a replay. */
    private record Sent(UUID eventId, String aggregateType, SpecificRecord event) {

        Sent(String aggregateType, SpecificRecord event) {
            this(UUID.randomUUID(), aggregateType, event);
        }
    }

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        shop = RunningOrders.start();
        replicas = shop.bean(Replicas.class);
    }

    @AfterAll
    static void stop() throws IOException {
        shop.close();
    }

    @BeforeEach
    void empty() {
        rebuild();
    }

    @Test
    void a_row_keeps_the_highest_version_in_whatever_order_events_come() {
        shop.deliverAndAwait("customer", SagaReply.customerChanged("anna", 5, "Anna E.", "e@shop.example"));
        shop.deliverAndAwait("customer", SagaReply.customerRegistered("anna", 1, "Anna", "anna@shop.example"));
        shop.deliverAndAwait("customer", SagaReply.customerChanged("anna", 3, "Anna C.", "c@shop.example"));
        shop.deliverAndAwait("product", SagaReply.productChanged("lamp", 2, "Great lamp", 2_500));
        shop.deliverAndAwait("product", SagaReply.productAdded("lamp", 1, "Lamp", 1_990));

        assertThat(replicas.customer("anna")).contains(new Customer("Anna E.", "e@shop.example"));
        assertThat(replicas.product("lamp")).contains(new Product("lamp", "Great lamp", 2_500, "EUR"));
    }

    @Test
    void an_event_of_the_first_version_of_its_contract_is_read() {
        GenericRecord registered =
                new GenericData.Record(Contracts.onClassPath(getClass().getClassLoader())
                        .bySubject("customers.customer-registered")
                        .orElseThrow()
                        .version(1)
                        .orElseThrow()
                        .schema());
        registered.put("customer_id", "olga");
        registered.put("version", 1);
        registered.put("name", "Olga");
        registered.put("email", "olga@shop.example");
        registered.put("region", "NORTH");
        registered.put("credit_limit_cents", 100_000L);
        registered.put("happened_at", 1_600_000_000_000_000L);
        shop.deliverAndAwait("customer", registered);

        assertThat(replicas.customer("olga")).contains(new Customer("Olga", "olga@shop.example"));
    }

    @RepeatedTest(10)
    void a_rebuilt_replica_is_the_same_however_a_replay_and_newer_events_interleave() {
        long seed = Long.getLong("shop.seed", System.nanoTime());
        Random random = new Random(seed);
        List<Sent> past = history(1, 4);
        List<Sent> news = history(5, 6);
        deliverAll(past);

        deliverAll(news.subList(0, news.size() / 2));
        rebuild();
        assertThat(shop.owner()
                        .sql("SELECT count(*) FROM inbox WHERE consumer = 'orders.replicas'")
                        .query(Integer.class)
                        .single())
                .isZero();
        List<Sent> replay = new ArrayList<>(past);
        replay.addAll(news.subList(0, news.size() / 2));
        deliverAll(interleaved(replay, news, random));

        assertThat(customers())
                .as("seed %d", seed)
                .containsExactly(
                        Map.of("customer_id", "anna", "version", 6, "name", "anna 6", "email", "anna6@shop.example"),
                        Map.of("customer_id", "bert", "version", 6, "name", "bert 6", "email", "bert6@shop.example"));
        assertThat(products())
                .as("seed %d", seed)
                .containsExactly(
                        Map.of(
                                "product_id",
                                "chair",
                                "version",
                                6,
                                "name",
                                "chair 6",
                                "price_cents",
                                6L,
                                "currency",
                                "EUR"),
                        Map.of(
                                "product_id",
                                "lamp",
                                "version",
                                6,
                                "name",
                                "lamp 6",
                                "price_cents",
                                6L,
                                "currency",
                                "EUR"));
    }

    @Test
    void emptying_the_replica_also_empties_the_inbox_of_events_that_are_being_applied() {
        Sent inHand = new Sent("product", SagaReply.productAdded("lamp", 1, "Lamp", 1_990));
        List<CompletableFuture<Void>> rebuild = new ArrayList<>();
        shop.bean(Inbox.class).once("orders.replicas", inHand.eventId(), () -> {
            shop.bean(ReplicaUpdates.class).handle(RunningOrders.received(inHand.eventId(), inHand.event()));
            rebuild.add(CompletableFuture.runAsync(ReplicasTest::rebuild));
            awaitWaitingForLock();
        });
        rebuild.forEach(CompletableFuture::join);
        assertThat(replicas.product("lamp")).isEmpty();

        shop.deliver(inHand.eventId(), inHand.aggregateType(), inHand.event());

        await().atMost(RunningOrders.SOON)
                .untilAsserted(() -> assertThat(replicas.product("lamp")).isPresent());
    }

    @Test
    void emptying_the_replica_waits_for_a_batch_that_touches_the_tables_in_another_order() {
        Sent product = new Sent("product", SagaReply.productAdded("lamp", 1, "Lamp", 1_990));
        List<CompletableFuture<Void>> rebuild = new ArrayList<>();
        shop.bean(Inbox.class).once("orders.replicas", product.eventId(), () -> {
            shop.bean(Freshness.class).heard("customers", Instant.now());
            rebuild.add(CompletableFuture.runAsync(ReplicasTest::rebuild));
            awaitWaitingForLock();
            shop.bean(ReplicaUpdates.class).handle(RunningOrders.received(product.eventId(), product.event()));
        });

        assertThat(rebuild).allSatisfy(script -> assertThat(script).succeedsWithin(RunningOrders.SOON));
        assertThat(replicas.product("lamp")).isEmpty();
    }

    @Test
    void emptying_the_replica_forgets_what_its_consumer_has_parked_and_not_what_others_have() {
        for (String consumer : List.of("orders.replicas", "orders.saga")) {
            shop.owner().sql("""
                            INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type,
                                payload, headers, queue, state, reason)
                            VALUES (:consumer, gen_random_uuid(), '', '', 'Unknown', '', '{}', 'nowhere', 'parked',
                                'failed')
                            """).param("consumer", consumer).update();
        }

        rebuild();

        assertThat(shop.owner()
                        .sql("SELECT consumer FROM inbox_failure")
                        .query(String.class)
                        .list())
                .containsExactly("orders.saga");
        shop.owner().sql("DELETE FROM inbox_failure").update();
    }

    @Test
    void sagas_remember_what_they_have_applied_when_the_replicas_are_rebuilt() {
        UUID answer = shop.deliverAndAwait("reservation", SagaReply.stockReserved(UUID.randomUUID()));

        rebuild();

        assertThat(shop.owner()
                        .sql("SELECT consumer FROM inbox WHERE event_id = ?")
                        .param(answer)
                        .query(String.class)
                        .single())
                .isEqualTo("orders.saga");
    }

    private static void rebuild() {
        try {
            shop.owner().sql(Files.readString(REBUILD)).update();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All events of two customers and two products from one version to another, each aggregate's in order. */
    private static List<Sent> history(int from, int to) {
        List<Sent> events = new ArrayList<>();
        for (int version = from; version <= to; version++) {
            for (String id : List.of("anna", "bert")) {
                String name = id + " " + version;
                String email = id + version + "@shop.example";
                events.add(new Sent(
                        "customer",
                        version == 1
                                ? SagaReply.customerRegistered(id, version, name, email)
                                : SagaReply.customerChanged(id, version, name, email)));
            }
            for (String id : List.of("chair", "lamp")) {
                String name = id + " " + version;
                events.add(new Sent(
                        "product",
                        version == 1
                                ? SagaReply.productAdded(id, version, name, version)
                                : SagaReply.productChanged(id, version, name, version)));
            }
        }
        return events;
    }

    /** Both lists, each in its own order, in one of all ways. */
    private static List<Sent> interleaved(List<Sent> replay, List<Sent> live, Random random) {
        List<Boolean> turns = new ArrayList<>(Collections.nCopies(replay.size(), true));
        turns.addAll(Collections.nCopies(live.size(), false));
        Collections.shuffle(turns, random);
        var ofReplay = replay.iterator();
        var ofLive = live.iterator();
        return turns.stream()
                .map(turn -> turn ? ofReplay.next() : ofLive.next())
                .toList();
    }

    private void deliverAll(List<Sent> events) {
        events.forEach(sent -> shop.deliver(sent.eventId(), sent.aggregateType(), sent.event()));
        events.forEach(sent -> shop.awaitHandled(sent.eventId()));
    }

    private void awaitWaitingForLock() {
        await().atMost(RunningOrders.SOON)
                .until(() -> shop.owner()
                                .sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'inbox'::regclass")
                                .query(Integer.class)
                                .single()
                        > 0);
    }

    private List<Map<String, Object>> customers() {
        return shop.owner()
                .sql("SELECT * FROM customer_replica ORDER BY customer_id")
                .query()
                .listOfRows();
    }

    private List<Map<String, Object>> products() {
        return shop.owner()
                .sql("SELECT * FROM product_replica ORDER BY product_id")
                .query()
                .listOfRows();
    }
}
