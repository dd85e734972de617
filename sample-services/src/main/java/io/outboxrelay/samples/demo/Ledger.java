package io.outboxrelay.samples.demo;

import io.outboxrelay.samples.storefront.StorefrontService;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Compares what the orders service committed with what the storefront did, by asking their databases. */
final class Ledger {

    private final JdbcClient orders;
    private final JdbcClient storefront;

    Ledger(DataSource orders, DataSource storefront) {
        this.orders = JdbcClient.create(orders);
        this.storefront = JdbcClient.create(storefront);
    }

    /** The storefront is asked first, so that it never seems ahead of the orders. */
    Counts counts() {
        long handled = handled().size();
        Outbox outbox = outbox();
        return new Counts(outbox.written(), outbox.backlog(), outbox.lagSeconds(), handled, owners());
    }

    Audit audit() {
        Set<UUID> handled = handled();
        Outbox outbox = outbox();
        Set<UUID> written = Set.copyOf(orders.sql("SELECT event_id FROM order_history")
                .query(UUID.class)
                .list());
        return new Audit(
                written.size(),
                outbox.written() - outbox.backlog(),
                handled.size(),
                without(written, handled),
                without(handled, written),
                storefront
                        .sql("SELECT count(*) FROM out_of_order")
                        .query(Long.class)
                        .single(),
                differing());
    }

    /** Written and still in the outbox, by one statement: at one moment. */
    private Outbox outbox() {
        return orders.sql("""
                        SELECT (SELECT count(*) FROM order_history) AS written,
                               count(*) AS backlog,
                               coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0) AS lag_seconds
                        FROM outbox
                        """).query(Outbox.class).single();
    }

    private Set<UUID> handled() {
        return new HashSet<>(storefront
                .sql("SELECT event_id FROM inbox WHERE consumer = :consumer")
                .param("consumer", StorefrontService.CONSUMER)
                .query(UUID.class)
                .list());
    }

    private Map<String, List<Integer>> owners() {
        return orders.sql("""
                        SELECT lane, CASE WHEN lease_until > clock_timestamp() THEN owner ELSE 'nobody' END AS owner
                        FROM outbox_lane ORDER BY lane
                        """).query(Lane.class).list().stream()
                .collect(Collectors.groupingBy(
                        Lane::owner, TreeMap::new, Collectors.mapping(Lane::lane, Collectors.toList())));
    }

    /** Orders that the two services see differently, or to which the storefront applied more or less than was written. */
    private long differing() {
        Map<UUID, Seen> ours = seen(orders, "SELECT order_id, version, state, version AS events FROM orders");
        Map<UUID, Seen> theirs =
                seen(storefront, "SELECT order_id, version, state, events_applied AS events FROM order_view");
        Set<UUID> all = new HashSet<>(ours.keySet());
        all.addAll(theirs.keySet());
        return all.stream()
                .filter(order -> !ours.containsKey(order) || !ours.get(order).equals(theirs.get(order)))
                .count();
    }

    private static Map<UUID, Seen> seen(JdbcClient database, String sql) {
        Map<UUID, Seen> seen = new HashMap<>();
        database.sql(sql).query(Seen.class).list().forEach(order -> seen.put(order.orderId(), order));
        return seen;
    }

    private static long without(Set<UUID> all, Set<UUID> less) {
        return all.stream().filter(id -> !less.contains(id)).count();
    }

    private record Outbox(long written, long backlog, double lagSeconds) {}

    private record Lane(int lane, String owner) {}

    private record Seen(UUID orderId, int version, String state, int events) {}
}
