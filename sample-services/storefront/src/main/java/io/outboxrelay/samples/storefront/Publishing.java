package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.storefront.OrderView.Step;
import io.outboxrelay.samples.storefront.Probe.Answer;
import io.outboxrelay.samples.storefront.ShopProcesses.Kind;
import io.outboxrelay.samples.storefront.ShopProcesses.ShopProcess;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * How events travel: the outboxes, according to the services that own them; and the relays, according to themselves.
 * Every answer is from this moment, and an answer that does not come is shown as such. No other service's database is
 * read.
 */
@Component
class Publishing {

    /** The customers service's answers in a saga. Its other events are about no order. */
    private static final Set<String> CREDIT_ANSWERS = Set.of("CreditReserved", "CreditRejected", "CreditReleased");

    /** States of an order that waits for one of them. */
    private static final Set<String> AWAITING_CREDIT = Set.of("awaiting_credit", "releasing_credit");

    private final Probe probe;
    private final ShopProcesses processes;
    private final OrderView orders;
    private final Map<String, URI> sources = new LinkedHashMap<>();

    Publishing(Probe probe, ShopProcesses processes, OrderView orders, StorefrontSettings settings) {
        this.probe = probe;
        this.processes = processes;
        this.orders = orders;
        sources.put("orders", settings.ordersUrl());
        sources.put("products", settings.productsUrl());
        sources.put("customers", settings.customersUrl());
    }

    /**
     * The relays and the services.
     *
     * @param relays empty if nobody has listed them, even if some are running
     */
    record Overview(List<Relay> relays, List<Service> services) {}

    /**
     * A relay.
     *
     * @param state whether it answers
     * @param ready whether it serves all its sources
     * @param reason why it is not ready; null if it is, or does not answer
     */
    record Relay(
            String name,
            long pid,
            Probe.State state,
            boolean ready,
            @Nullable String reason) {}

    /**
     * A service.
     *
     * @param pid null if nobody has listed it
     * @param state whether it answers
     * @param outbox null for a service that publishes nothing, and without an answer
     */
    record Service(
            String name,
            @Nullable Long pid,
            Probe.State state,
            @Nullable Outbox outbox) {}

    /** As the service's chassis describes it. */
    record Outbox(long waiting, @Nullable Double oldestSeconds, List<Lane> lanes) {}

    /** A lane and the relay that owns it; null for none. */
    record Lane(int lane, @Nullable String relay) {}

    /**
     * Where the owners of the events of an order say that these are.
     *
     * @param events those of its saga that are known here, and those that are not yet published
     * @param missing the services that do not answer
     */
    record OrderEvents(String orderId, List<OrderEvent> events, List<String> missing) {}

    /** An event, in the words of the chassis of the service that wrote it. */
    record OrderEvent(
            UUID eventId,
            String service,
            String event,
            int lane,
            String state,
            @Nullable String reason,
            Instant writtenAt,
            @Nullable Instant confirmedAt) {}

    /** Asks everybody at the same time. */
    Overview overview() {
        List<CompletableFuture<Relay>> relays =
                processes.all(Kind.RELAY).stream().map(this::ask).toList();
        List<CompletableFuture<Service>> services = sources.entrySet().stream()
                .map(source -> ask(source.getKey(), source.getValue()))
                .toList();
        Service self = new Service("storefront", processes.pid("storefront").orElse(null), Probe.State.ANSWERS, null);
        return new Overview(
                joined(relays),
                Stream.concat(joined(services).stream(), Stream.of(self)).toList());
    }

    private CompletableFuture<Relay> ask(ShopProcess relay) {
        return probe.ask(relay.url().resolve("/health/ready"), Readiness.class)
                .thenApply(answer -> new Relay(
                        relay.name(),
                        relay.pid(),
                        answer.state(),
                        answer.body().filter(Readiness::ready).isPresent(),
                        answer.body().map(Readiness::reason).orElse(null)));
    }

    private CompletableFuture<Service> ask(String service, URI url) {
        return probe.ask(url.resolve("/outbox"), Outbox.class)
                .thenApply(answer -> new Service(
                        service,
                        processes.pid(service).orElse(null),
                        answer.state(),
                        answer.body().filter(outbox -> outbox.lanes() != null).orElse(null)));
    }

    /** What a relay answers about itself. */
    private record Readiness(String status, @Nullable List<SourceReadiness> sources) {

        private record SourceReadiness(
                String name, boolean ready, @Nullable String reason) {}

        boolean ready() {
            return "ready".equals(status);
        }

        @Nullable
        String reason() {
            return ready() || sources == null
                    ? null
                    : sources.stream()
                            .filter(source -> !source.ready())
                            .map(source -> "%s: %s".formatted(source.name(), source.reason()))
                            .collect(Collectors.joining("; "));
        }
    }

    /**
     * The events of an order, also those that have not arrived here.
     *
     * @param orderId may be unknown here, because its first event has not arrived
     */
    OrderEvents eventsOf(String orderId) {
        Optional<OrderView.Order> order = orders.find(orderId);
        Map<String, CompletableFuture<Answer<Told>>> asked = new LinkedHashMap<>();
        asked.put("orders", ask("orders", "order", orderId));
        asked.put("products", ask("products", "reservation", orderId));
        order.map(OrderView.Order::customerId)
                .ifPresent(customer -> asked.put("customers", ask("customers", "customer", customer)));
        Set<UUID> known = orders.stepsOf(orderId).stream().map(Step::eventId).collect(Collectors.toSet());
        boolean awaitsCredit = order.map(OrderView.Order::state)
                .filter(AWAITING_CREDIT::contains)
                .isPresent();

        List<OrderEvent> events = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        asked.forEach((service, answer) -> answer.join()
                .body()
                .map(Told::events)
                .ifPresentOrElse(
                        told -> told.stream()
                                .filter(event -> !service.equals("customers") || event.isAbout(known, awaitsCredit))
                                .map(event -> event.of(service))
                                .forEach(events::add),
                        () -> missing.add(service)));
        return new OrderEvents(orderId, events, missing);
    }

    private CompletableFuture<Answer<Told>> ask(String service, String aggregateType, String aggregateId) {
        URI url = UriComponentsBuilder.fromUri(sources.get(service).resolve("/outbox/events"))
                .queryParam("aggregate_type", "{type}")
                .queryParam("aggregate_id", "{id}")
                .encode()
                .build(aggregateType, aggregateId);
        return probe.ask(url, Told.class);
    }

    /** What a service says about the events of an aggregate. */
    private record Told(@Nullable List<ToldEvent> events) {}

    private record ToldEvent(
            UUID eventId,
            String event,
            int lane,
            String state,
            @Nullable String reason,
            Instant writtenAt,
            @Nullable Instant confirmedAt) {

        /**
         * Whether an event of the order's customer belongs to the order. Before it arrives only its type and the state
         * of the order tell that; so among orders that one customer places at the same time it may be another one's.
         */
        boolean isAbout(Set<UUID> known, boolean awaitsCredit) {
            return known.contains(eventId) || awaitsCredit && confirmedAt == null && CREDIT_ANSWERS.contains(event);
        }

        OrderEvent of(String service) {
            return new OrderEvent(eventId, service, event, lane, state, reason, writtenAt, confirmedAt);
        }
    }

    private static <T> List<T> joined(List<CompletableFuture<T>> asked) {
        return asked.stream().map(CompletableFuture::join).toList();
    }
}
