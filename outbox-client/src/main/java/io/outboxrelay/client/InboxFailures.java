package io.outboxrelay.client;

import io.outboxrelay.client.Database.Failed;
import io.outboxrelay.client.Database.Noted;
import io.outboxrelay.client.Database.Parked;
import io.outboxrelay.client.Database.Place;
import io.outboxrelay.client.Database.StoredEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The events that one consumer has given up, and those that wait behind them, in the table {@code inbox_failure}; and
 * what else it remembers apart from effects: its instances and its histories. Safe for many threads.
 *
 * <p>What is stored is noted in the inbox too: the consumer has taken charge of it, and a redelivery is a duplicate.
 * Within an aggregate the first row, by id, is retrying or parked, and all others are waiting. An event that is stored
 * while the first one leaves may stay waiting as the first; so whoever has stored or removed one looks afterwards
 * whether the first is waiting, in a transaction that begins after the other has committed ({@link #moveUp}).
 */
final class InboxFailures {

    /** From counting an attempt to locking its event; then the lock keeps others away. */
    private static final Duration LONGEST_START = Duration.ofSeconds(5);

    /** How many due events are tried next, if others have locked all that were to be begun. */
    private static final int CANDIDATES = 100;

    /** Fits into the column in any encoding. */
    private static final int LONGEST_DETAIL = 1_000;

    private final DataSource dataSource;
    private final TransactionTemplate own;
    private final DatabaseOfSource database;
    private final String consumer;

    InboxFailures(
            DataSource dataSource,
            PlatformTransactionManager transactions,
            DatabaseOfSource database,
            String consumer) {
        this.dataSource = dataSource;
        this.own = new TransactionTemplate(transactions);
        this.own.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        this.database = database;
        this.consumer = consumer;
    }

    /**
     * Stores an event that is given up, unless the inbox knows it: then another process has handled or stored it. One
     * that met only contention, say, may have an earlier one before it: then it waits as if it had not failed.
     *
     * @param rejected whether the handler said that no retry can help
     * @return what has become of it: parked, waiting behind an earlier one, or a duplicate
     */
    Fate park(ReceivedEvent event, String queue, int attempts, boolean rejected, Throwable cause) {
        Failed parked = new Failed(event, queue, attempts, new Parked(reason(rejected), detail(cause)));
        return run((sql, connection) -> {
            Noted noted = sql.note(connection, consumer, List.of(event));
            if (noted.fresh().isEmpty()) {
                return Fate.DUPLICATE;
            }
            boolean waits = !noted.waiting().isEmpty();
            store(sql, connection, consumer, List.of(waits ? new Failed(event, queue, 0, null) : parked));
            return waits ? Fate.WAITING : Fate.PARKED;
        });
    }

    /**
     * Stores an event as one that waits for those before it, whether there is one or not.
     *
     * @return false if the inbox knows it
     */
    boolean wait(ReceivedEvent event, String queue) {
        return run((sql, connection) -> {
            boolean fresh = sql.note(connection, consumer, event.id());
            if (fresh) {
                store(sql, connection, consumer, List.of(new Failed(event, queue, 0, null)));
            }
            return fresh;
        });
    }

    /**
     * Stores events that are noted, in the order of the list.
     *
     * @throws NotStoredException if the database refuses one of them, or is lost meanwhile
     */
    static void store(Database sql, Connection connection, String consumer, List<Failed> events) {
        try {
            sql.store(connection, consumer, events);
        } catch (SQLException e) {
            throw new NotStoredException(e);
        }
    }

    private static String reason(boolean rejected) {
        return rejected ? "rejected" : "failed";
    }

    private static String detail(Throwable cause) {
        return ForeignText.printable(Causes.inWords(cause), LONGEST_DETAIL);
    }

    /** The stored events to be handled now, at most so many. */
    List<Long> due(int most) {
        return run((sql, connection) -> sql.due(connection, consumer, most));
    }

    /**
     * Locks stored events that are due, with those that wait behind them, and counts an attempt at each before it is
     * made: an event that ends the process each time would otherwise be tried for ever. An event that has attempts
     * behind it is begun alone, so that it costs no other one any. If they were used up by processes that have ended,
     * it is parked instead.
     *
     * <p>Events that others have locked are passed over, however many there are: a frozen process, or a handler that
     * takes longer than the wait until its event is due again, delays no event but its own.
     *
     * <p>One thread of a process does this at a time, or all of them would find the same events.
     *
     * @param most at most so many
     * @param mostBytes of their payloads together, unless it is one event
     * @return none if nothing is due or others are at all of it
     */
    synchronized Begun begin(int most, long mostBytes, int mostAttempts) {
        List<Long> due = due(most);
        int locked = 0;
        while (locked < due.size()) {
            List<Long> candidates = due.subList(locked, due.size());
            List<StoredEvent> begun = begin(candidates, most, mostBytes, mostAttempts);
            if (!begun.isEmpty()) {
                return new Begun(begun, candidates.size() >= most);
            }
            locked = due.size();
            due = due(locked + Math.max(most, CANDIDATES));
        }
        return new Begun(List.of(), false);
    }

    /**
     * Stored events that were begun.
     *
     * @param events those of an aggregate in their order, with the attempts before this one
     * @param more whether more aggregates may have events that are due
     */
    record Begun(List<StoredEvent> events, boolean more) {}

    private List<StoredEvent> begin(List<Long> due, int most, long mostBytes, int mostAttempts) {
        return run((sql, connection) -> {
            Map<Long, Place> locked = byId(sql.lock(connection, due, true));
            List<Place> heads = due.stream()
                    .map(locked::get)
                    .filter(Objects::nonNull)
                    .limit(most)
                    .toList();
            if (heads.isEmpty()) {
                return List.of();
            }
            Place first = heads.get(0);
            List<Long> ids =
                    first.attempts() > 0 ? List.of(first.id()) : batch(sql, connection, heads, most, mostBytes);
            List<StoredEvent> begun = inOrder(ids, sql.read(connection, ids));
            if (first.attempts() >= mostAttempts) {
                sql.failedAgain(connection, first.id(), first.attempts(), null, reason(false), Database.ENDED);
            } else {
                sql.count(connection, ids, LONGEST_START, reason(false), Database.ENDED);
            }
            return begun;
        });
    }

    /** The heads that have not failed, each with those behind it up to the first that has. */
    private List<Long> batch(Database sql, Connection connection, List<Place> heads, int most, long mostBytes)
            throws SQLException {
        List<Place> fresh = heads.stream().filter(head -> head.attempts() == 0).toList();
        Map<Aggregate, List<Place>> stored = new HashMap<>();
        Set<Aggregate> aggregates = fresh.stream()
                .map(Place::aggregate)
                .filter(aggregate -> !aggregate.isNone())
                .collect(Collectors.toSet());
        if (fresh.size() < most && !aggregates.isEmpty()) {
            for (Place each : sql.first(connection, consumer, aggregates, most)) {
                stored.computeIfAbsent(each.aggregate(), key -> new ArrayList<>())
                        .add(each);
            }
        }
        List<Place> batch = new ArrayList<>();
        long bytes = 0;
        int room = most - fresh.size();
        for (Place head : fresh) {
            bytes += head.bytes();
            if (!batch.isEmpty() && bytes > mostBytes) {
                break;
            }
            batch.add(head);
            for (Place behind : stored.getOrDefault(head.aggregate(), List.of())) {
                if (behind.id() <= head.id()) {
                    continue;
                }
                if (!behind.waits() || behind.attempts() > 0 || room == 0 || bytes + behind.bytes() > mostBytes) {
                    break;
                }
                batch.add(behind);
                bytes += behind.bytes();
                room--;
            }
        }
        List<Long> waiting = batch.stream().filter(Place::waits).map(Place::id).toList();
        Set<Long> locked = waiting.isEmpty()
                ? Set.of()
                : byId(sql.lock(connection, waiting, false)).keySet();
        return unbroken(batch, Place::aggregate, place -> !place.waits() || locked.contains(place.id())).stream()
                .map(Place::id)
                .toList();
    }

    private static Map<Long, Place> byId(List<Place> places) {
        return places.stream().collect(Collectors.toMap(Place::id, Function.identity()));
    }

    private static List<StoredEvent> inOrder(List<Long> ids, List<StoredEvent> events) {
        Map<Long, StoredEvent> byId = events.stream().collect(Collectors.toMap(StoredEvent::id, Function.identity()));
        return ids.stream().map(byId::get).filter(Objects::nonNull).toList();
    }

    /** Those that are there, of each aggregate up to the first that is not. */
    private static <T> List<T> unbroken(List<T> all, Function<T, Aggregate> aggregate, Predicate<T> there) {
        Set<Aggregate> broken = new HashSet<>();
        List<T> unbroken = new ArrayList<>();
        for (T each : all) {
            if (broken.contains(aggregate.apply(each))) {
                continue;
            }
            if (there.test(each)) {
                unbroken.add(each);
            } else if (!aggregate.apply(each).isNone()) {
                broken.add(aggregate.apply(each));
            }
        }
        return unbroken;
    }

    /**
     * Handles events that were begun in one transaction, except those that another process has or is at, and those
     * behind these.
     *
     * @param action in the transaction that removes the events
     * @return the events that were handled
     */
    List<StoredEvent> process(List<StoredEvent> begun, Consumer<List<StoredEvent>> action) {
        List<Long> ids = begun.stream().map(StoredEvent::id).toList();
        List<StoredEvent> processed = own.execute(status -> {
            CallersTransaction transaction = CallersTransaction.of(status, dataSource);
            Map<Long, Place> locked = on(transaction, (sql, connection) -> byId(sql.lock(connection, ids, false)));
            List<StoredEvent> there = unbroken(
                    begun,
                    stored -> Aggregate.of(stored.event()),
                    stored -> locked.containsKey(stored.id())
                            && !locked.get(stored.id()).isParked());
            if (!there.isEmpty()) {
                action.accept(there);
                on(transaction, (sql, connection) -> {
                    sql.remove(connection, consumer, there);
                    return true;
                });
            }
            return there;
        });
        return processed == null ? List.of() : processed;
    }

    /**
     * A stored event has failed again; without a wait it is parked.
     *
     * @return false if another process has handled or parked it meanwhile
     */
    boolean failed(StoredEvent stored, int attempts, @Nullable Duration wait, boolean rejected, Throwable cause) {
        return run((sql, connection) ->
                sql.failedAgain(connection, stored.id(), attempts, wait, reason(rejected), detail(cause)));
    }

    /**
     * Takes back an attempt at each of them that was counted when it was begun.
     *
     * @return those of which this was not possible yet, because others have locked them: perhaps a connection of this
     *     process whose loss the database has not noticed
     */
    List<Long> giveBack(List<Long> ids) {
        return run((sql, connection) -> {
            Set<Long> free = byId(sql.lock(connection, ids, false)).keySet();
            if (!free.isEmpty()) {
                sql.giveBack(connection, List.copyOf(free));
            }
            List<Long> others = ids.stream().filter(id -> !free.contains(id)).toList();
            return others.isEmpty() ? others : sql.existing(connection, others);
        });
    }

    /** Makes the first event of each of these aggregates due if it is waiting. */
    void moveUp(Collection<Aggregate> aggregates) {
        run((sql, connection) -> makeDue(sql, connection, sql.waitingHeads(connection, consumer, aggregates)));
    }

    /** The same for all aggregates: for those whose process ended in between, or whose first event a person removed. */
    void moveUp() {
        run((sql, connection) -> makeDue(sql, connection, sql.waitingHeads(connection, consumer)));
    }

    /** Nobody waits here for a person whose command has locked one: the next look at all of them finds it. */
    private static boolean makeDue(Database sql, Connection connection, List<Long> heads) throws SQLException {
        if (!heads.isEmpty()) {
            List<Place> free = sql.lock(connection, heads, false);
            sql.makeDue(connection, free.stream().map(Place::id).toList());
        }
        return true;
    }

    /** How many events are stored. */
    StoredCounts stored() {
        return run((sql, connection) -> sql.stored(connection, consumer, StoredCounts.MOST_COUNTED));
    }

    /** Says that an instance is alive, and returns all that are. */
    List<String> alive(String instance, Duration lease) {
        return run((sql, connection) -> sql.alive(connection, consumer, instance, lease));
    }

    /** Says that an instance has ended. */
    void left(String instance) {
        run((sql, connection) -> {
            sql.left(connection, consumer, instance);
            return true;
        });
    }

    /** The queues whose history is complete. */
    List<String> histories() {
        return run((sql, connection) -> sql.histories(connection, consumer));
    }

    /**
     * Notes that a consumer begins to ask for a history, unless that is noted. Where several instances do, the first
     * prepares it, and the others wait for that.
     *
     * @param history the name of the queue for it
     * @param preparation before it is noted for all
     */
    void beginHistory(String history, Runnable preparation) {
        run((sql, connection) -> {
            boolean first = sql.historyEnded(connection, consumer, history, UUID.randomUUID());
            if (first) {
                preparation.run();
            }
            return first;
        });
    }

    /** Remembers that the history of a queue is complete. */
    void historyEnded(String queue, UUID subscription) {
        run((sql, connection) -> {
            sql.historyEnded(connection, consumer, queue, subscription);
            return true;
        });
    }

    private <T> T run(Work<T> work) {
        return Objects.requireNonNull(
                own.execute(status -> on(CallersTransaction.of(status, dataSource), work)), "result of a transaction");
    }

    private <T> T on(CallersTransaction transaction, Work<T> work) {
        return Objects.requireNonNull(
                transaction.execute(connection -> database.run(connection, sql -> work.run(sql, connection))),
                "result of a statement");
    }

    /** Statements of one transaction. */
    @FunctionalInterface
    private interface Work<T> {

        T run(Database sql, Connection connection) throws SQLException;
    }
}
