package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.contracts.CountryPublished;
import io.outboxrelay.samples.contracts.CreditLimitChanged;
import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.CreditReserved;
import io.outboxrelay.samples.contracts.CurrencyPublished;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import io.outboxrelay.samples.contracts.CustomersHeartbeat;
import io.outboxrelay.samples.contracts.OrderCancelled;
import io.outboxrelay.samples.contracts.OrderConfirmed;
import io.outboxrelay.samples.contracts.OrderLine;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderRejected;
import io.outboxrelay.samples.contracts.OrderRejection;
import io.outboxrelay.samples.contracts.OrdersHeartbeat;
import io.outboxrelay.samples.contracts.PricedLine;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import io.outboxrelay.samples.contracts.ProductsHeartbeat;
import io.outboxrelay.samples.contracts.StockRejected;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReleased;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import io.outboxrelay.samples.contracts.StockReserved;
import io.outboxrelay.schemas.encoding.EventEncoder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;

/** An event of a service, published by a test. Its time is its version, in seconds since {@link #BEGINNING}. */
record TestEvent(UUID id, String aggregateType, String aggregateId, SpecificRecord body) {

    static final Instant BEGINNING = Instant.parse("2026-01-01T00:00:00Z");
    static final long LAMP_CENTS = 1_990;

    String type() {
        return body.getSchema().getName();
    }

    ReceivedEvent received() {
        return new ReceivedEvent(
                id,
                type(),
                aggregateType,
                aggregateId,
                EventEncoder.singleObject().encode(body),
                EventEncoder.CONTENT_TYPE,
                Map.of(),
                null,
                false);
    }

    private static TestEvent of(String aggregateType, String aggregateId, SpecificRecord body) {
        return new TestEvent(UUID.randomUUID(), aggregateType, aggregateId, body);
    }

    private static Instant at(int version) {
        return BEGINNING.plusSeconds(version);
    }

    static TestEvent registered(String customer, int version, String name, String region, long limitCents) {
        return of(
                "customer",
                customer,
                CustomerRegistered.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setName(name)
                        .setEmail(name + "@example.org")
                        .setRegion(region)
                        .setCreditLimitCents(limitCents)
                        .setCountry("DE")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent changed(String customer, int version, String name, String region) {
        return of(
                "customer",
                customer,
                CustomerChanged.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setName(name)
                        .setEmail(name + "@example.org")
                        .setRegion(region)
                        .setCountry("DE")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent limitChanged(String customer, int version, long limitCents, long availableCents) {
        return of(
                "customer",
                customer,
                CreditLimitChanged.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setCreditLimitCents(limitCents)
                        .setAvailableCents(availableCents)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent creditReserved(String customer, int version, String order, long availableCents) {
        return of(
                "customer",
                customer,
                CreditReserved.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setOrderId(order)
                        .setAmountCents(LAMP_CENTS)
                        .setCreditLimitCents(10_000)
                        .setAvailableCents(availableCents)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent creditReleased(String customer, int version, String order, long availableCents) {
        return of(
                "customer",
                customer,
                CreditReleased.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setOrderId(order)
                        .setAmountCents(LAMP_CENTS)
                        .setCreditLimitCents(10_000)
                        .setAvailableCents(availableCents)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent creditRejected(String customer, int version, String order, CreditRejection reason) {
        return of(
                "customer",
                customer,
                CreditRejected.newBuilder()
                        .setCustomerId(customer)
                        .setVersion(version)
                        .setOrderId(order)
                        .setAmountCents(LAMP_CENTS)
                        .setReason(reason)
                        .setCreditLimitCents(version == 0 ? 0 : 10_000)
                        .setAvailableCents(version == 0 ? 0 : 1_000)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent country(String code, int version, String name) {
        return of(
                "country",
                code,
                CountryPublished.newBuilder()
                        .setCode(code)
                        .setVersion(version)
                        .setName(name)
                        .setCurrency("EUR")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent currency(String code, int version, String name) {
        return of(
                "currency",
                code,
                CurrencyPublished.newBuilder()
                        .setCode(code)
                        .setVersion(version)
                        .setName(name)
                        .setMinorDigits(2)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent added(String product, int version, String name, long priceCents) {
        return of(
                "product",
                product,
                ProductAdded.newBuilder()
                        .setProductId(product)
                        .setVersion(version)
                        .setName(name)
                        .setPriceCents(priceCents)
                        .setCurrency("EUR")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent repriced(String product, int version, String name, long priceCents) {
        return of(
                "product",
                product,
                ProductChanged.newBuilder()
                        .setProductId(product)
                        .setVersion(version)
                        .setName(name)
                        .setPriceCents(priceCents)
                        .setCurrency("EUR")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent placed(String order, int version, String customer) {
        return of(
                "order",
                order,
                OrderPlaced.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setLines(List.of(new PricedLine("lamp", "Lamp", 1, LAMP_CENTS)))
                        .setAmountCents(LAMP_CENTS)
                        .setCurrency("EUR")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent stockRequested(String order, int version) {
        return of(
                "order",
                order,
                StockReservationRequested.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setLines(List.of(new OrderLine("lamp", 1)))
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent creditRequested(String order, int version, String customer) {
        return of(
                "order",
                order,
                CreditReservationRequested.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setAmountCents(LAMP_CENTS)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent stockReleaseRequested(String order, int version) {
        return of(
                "order",
                order,
                StockReleaseRequested.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent creditReleaseRequested(String order, int version, String customer) {
        return of(
                "order",
                order,
                CreditReleaseRequested.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent confirmed(String order, int version, String customer) {
        return of(
                "order",
                order,
                OrderConfirmed.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent rejected(String order, int version, String customer, OrderRejection reason) {
        return of(
                "order",
                order,
                OrderRejected.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setReason(reason)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent paid(String order, int version, String customer) {
        return of(
                "order",
                order,
                OrderPaid.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setAmountCents(LAMP_CENTS)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent cancelled(String order, int version, String customer) {
        return of(
                "order",
                order,
                OrderCancelled.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setCustomerId(customer)
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent stockReserved(String order, int version) {
        return of(
                "reservation",
                order,
                StockReserved.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setLines(List.of(new OrderLine("lamp", 1)))
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent stockRejected(String order, int version, StockRejection reason) {
        return of(
                "reservation",
                order,
                StockRejected.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setReason(reason)
                        .setProductId("lamp")
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent stockReleased(String order, int version) {
        return of(
                "reservation",
                order,
                StockReleased.newBuilder()
                        .setOrderId(order)
                        .setVersion(version)
                        .setLines(List.of(new OrderLine("lamp", 1)))
                        .setHappenedAt(at(version))
                        .build());
    }

    static TestEvent heartbeatOfCustomers(int version, Instant at) {
        return of(
                "heartbeat",
                "customers",
                CustomersHeartbeat.newBuilder()
                        .setVersion(version)
                        .setHappenedAt(at)
                        .build());
    }

    static TestEvent heartbeatOfProducts(int version, Instant at) {
        return of(
                "heartbeat",
                "products",
                ProductsHeartbeat.newBuilder()
                        .setVersion(version)
                        .setHappenedAt(at)
                        .build());
    }

    static TestEvent heartbeatOfOrders(int version, Instant at) {
        return of(
                "heartbeat",
                "orders",
                OrdersHeartbeat.newBuilder()
                        .setVersion(version)
                        .setHappenedAt(at)
                        .build());
    }
}
