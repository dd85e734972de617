package io.outboxrelay.samples.demo;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Compares committed and applied events, using only the databases and no statements of services or relays. */
final class Ledger {

    private static final String HEARTBEAT = "heartbeat";
    private static final String OPEN = "state NOT IN ('confirmed', 'paid', 'rejected', 'cancelled')";

    /** What is noted in the inbox, but stored without its effect, has not been applied. */
    private static final String APPLIED = """
            FROM inbox WHERE consumer = '%1$s' AND event_id NOT IN (
                SELECT event_id FROM inbox_failure WHERE consumer = '%1$s')""";

    /** Which consumer must apply which events. */
    private static final List<Subscription> SUBSCRIPTIONS = List.of(
            new Subscription(
                    Service.CUSTOMERS,
                    "customers",
                    event -> event.is("order")
                            && Set.of("CreditReservationRequested", "CreditReleaseRequested", "OrderPaid")
                                    .contains(event.type())),
            new Subscription(
                    Service.PRODUCTS,
                    "products",
                    event -> event.is("order")
                            && Set.of("StockReservationRequested", "StockReleaseRequested")
                                    .contains(event.type())),
            new Subscription(
                    Service.ORDERS,
                    "orders.saga",
                    event -> event.is("reservation")
                            || event.is("customer")
                                    && Set.of("CreditReserved", "CreditRejected", "CreditReleased")
                                            .contains(event.type())),
            new Subscription(
                    Service.ORDERS,
                    "orders.replicas",
                    event -> event.is("product")
                            || event.is("customer")
                                    && Set.of("CustomerRegistered", "CustomerChanged")
                                            .contains(event.type())),
            new Subscription(Service.STOREFRONT, "storefront", event -> true));

    private final Map<Service, Home> homes;

    Ledger(Map<Service, Home> homes) {
        this.homes = homes;
    }

    /**
     * An event that was committed.
     *
     * @param aggregate its type
     */
    private record Event(UUID id, String aggregate, String type) {

        boolean is(String aggregateType) {
            return aggregate.equals(aggregateType);
        }
    }

    private record Subscription(Service service, String consumer, Predicate<Event> wants) {}

    /** Reads the storefront first, so that it never seems ahead of the others. */
    Counts counts() {
        long handled = number(Service.STOREFRONT, "SELECT count(*) " + APPLIED.formatted("storefront"));
        long written = 0;
        long backlog = 0;
        double lag = 0;
        for (Service source : Service.SOURCES) {
            backlog += unpublished(source);
            lag = Math.max(lag, lag(source));
            written += number(source, "SELECT count(*) FROM audited");
        }
        return new Counts(
                written,
                backlog,
                lag,
                handled,
                number(Service.ORDERS, "SELECT count(*) FROM orders"),
                number(Service.ORDERS, "SELECT count(*) FROM orders WHERE " + OPEN),
                owners());
    }

    /** The events committed until now; {@link #audit} is about these. */
    Set<UUID> written() {
        Set<UUID> all = new HashSet<>();
        events().forEach(event -> all.add(event.id()));
        return all;
    }

    /** Whether all of these have reached all their consumers. */
    boolean settled(Set<UUID> written) {
        return missing(written).isEmpty();
    }

    /**
     * Audits the events that were committed until a moment. It ignores later ones, such as the endless heartbeats.
     *
     * @param written the ids of that moment
     */
    Audit audit(Set<UUID> written) {
        Set<UUID> handled = inbox(Service.STOREFRONT, "storefront");
        Set<UUID> committed = written();
        Set<UUID> unpublished = new HashSet<>();
        for (Service source : Service.SOURCES) {
            unpublished.addAll(ids(source, "SELECT event_id FROM outbox"));
            unpublished.addAll(ids(source, "SELECT event_id FROM outbox_failure"));
        }
        return new Audit(
                written.size(),
                without(written, unpublished).size(),
                written.size() - without(written, handled).size(),
                missing(written).size(),
                without(handled, committed).size(),
                number(Service.STOREFRONT, "SELECT count(*) FROM out_of_order"),
                differing(),
                sagasOpen(),
                oversold());
    }

    private long sagasOpen() {
        return number(Service.ORDERS, "SELECT count(*) FROM orders WHERE " + OPEN);
    }

    /** Events that a bound consumer has not applied. */
    private Set<UUID> missing(Set<UUID> written) {
        Collection<Event> events = events();
        Set<UUID> missing = new HashSet<>();
        for (Subscription subscription : SUBSCRIPTIONS) {
            Set<UUID> applied = inbox(subscription.service(), subscription.consumer());
            events.stream()
                    .filter(event -> written.contains(event.id()))
                    .filter(event -> !event.is(HEARTBEAT) || subscription.service() == Service.STOREFRONT)
                    .filter(subscription.wants())
                    .map(Event::id)
                    .filter(id -> !applied.contains(id))
                    .forEach(missing::add);
        }
        return missing;
    }

    /** Orders that the storefront shows differently from the orders service. */
    private long differing() {
        Map<String, String> ours = states(Service.ORDERS, "SELECT order_id, state FROM orders");
        Map<String, String> theirs = states(Service.STOREFRONT, "SELECT order_id, state FROM order_view");
        Set<String> all = new HashSet<>(ours.keySet());
        all.addAll(theirs.keySet());
        return all.stream()
                .filter(order -> !theirs.getOrDefault(order, "unknown").equals(ours.get(order)))
                .count();
    }

    /** Customers beyond their credit limit, and products with more reserved items than stock. */
    private long oversold() {
        return number(Service.CUSTOMERS, "SELECT count(*) FROM credit WHERE available_cents < 0")
                + number(Service.PRODUCTS, "SELECT count(*) FROM product WHERE stock < 0");
    }

    private Map<String, String> states(Service service, String sql) {
        Map<String, String> states = new HashMap<>();
        admin(service)
                .sql(sql)
                .query((row, n) -> states.put(row.getString("order_id"), row.getString("state")))
                .list();
        return states;
    }

    private Collection<Event> events() {
        List<Event> all = new ArrayList<>();
        for (Service source : Service.SOURCES) {
            RowMapper<UUID> id = id(source);
            all.addAll(admin(source)
                    .sql("SELECT event_id, aggregate_type, event_type FROM audited")
                    .query((row, n) -> new Event(id.mapRow(row, n), row.getString(2), row.getString(3)))
                    .list());
        }
        return all;
    }

    private Set<UUID> inbox(Service service, String consumer) {
        return ids(service, "SELECT event_id " + APPLIED.formatted(consumer));
    }

    private Set<UUID> ids(Service service, String sql) {
        return new HashSet<>(admin(service).sql(sql).query(id(service)).list());
    }

    /** MariaDB stores ids as sixteen bytes. */
    private RowMapper<UUID> id(Service service) {
        if (service.kind().isInnoDb()) {
            return (row, n) -> {
                ByteBuffer bytes = ByteBuffer.wrap(row.getBytes(1));
                return new UUID(bytes.getLong(), bytes.getLong());
            };
        }
        return (row, n) -> row.getObject(1, UUID.class);
    }

    private long unpublished(Service source) {
        return number(source, "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_failure)");
    }

    private double lag(Service source) {
        String age = source.kind().isInnoDb()
                ? "timestampdiff(MICROSECOND, min(occurred_at), utc_timestamp(6)) / 1e6"
                : "extract(epoch FROM clock_timestamp() - min(occurred_at))";
        return admin(source)
                .sql("SELECT coalesce(" + age + ", 0) FROM outbox")
                .query(BigDecimal.class)
                .single()
                .doubleValue();
    }

    private Map<String, Integer> owners() {
        Map<String, Integer> owners = new TreeMap<>();
        for (Service source : Service.SOURCES) {
            String now = source.kind().isInnoDb() ? "utc_timestamp(6)" : "clock_timestamp()";
            admin(source)
                    .sql("SELECT CASE WHEN lease_until > " + now + " THEN owner ELSE 'nobody' END FROM outbox_lane")
                    .query(String.class)
                    .list()
                    .forEach(owner -> owners.merge(instance(owner), 1, Integer::sum));
        }
        return owners;
    }

    /** A lease names the relay's instance and, after a {@code #}, the life of its lanes on this source. */
    private static String instance(String owner) {
        int life = owner.lastIndexOf('#');
        return life < 0 ? owner : owner.substring(0, life);
    }

    private long number(Service service, String sql) {
        return admin(service).sql(sql).query(Long.class).single();
    }

    private JdbcClient admin(Service service) {
        return Objects.requireNonNull(homes.get(service)).admin();
    }

    private static Set<UUID> without(Set<UUID> all, Set<UUID> less) {
        Set<UUID> left = new HashSet<>(all);
        left.removeAll(less);
        return left;
    }
}
