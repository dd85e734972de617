package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Received;
import io.outboxrelay.relay.database.InboxActs.ConsumerState;
import io.outboxrelay.relay.database.InboxActs.Instance;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What commands ask and change about the consumers of one inbox, while they run or while none does. Changes need the
 * rights of the role {@code outbox_admin}, questions those of {@code outbox_consumer}. Every method throws a
 * {@link Failures.UnavailableException} when the database cannot be used.
 */
public final class Consumers {

    /** The first that has a table of the events that consumers gave up. A relay can use an older one. */
    private static final int REQUIRED_VERSION = 5;

    /** Most events that are read to count those of the last hour: a tenth of a second. */
    static final int MOST_COUNTED = 100_000;

    private final CommandActs sql;
    private final InboxActs inbox;
    private final CommandTransactions transactions;

    Consumers(CommandActs sql, InboxActs inbox, CommandTransactions transactions) {
        this.sql = sql;
        this.inbox = inbox;
        this.transactions = transactions;
    }

    /**
     * Checks that the inbox is installed and new enough.
     *
     * @throws Failures.UnavailableException if it is not, or the database does not answer
     */
    public void requireVersion() {
        transactions.requireVersion("inbox", REQUIRED_VERSION);
    }

    /** {@return the events that consumers gave up} */
    public FailedEvents failedEvents() {
        return new FailedEvents(inbox, sql, transactions, "inbox ");
    }

    /** Finds what each consumer has done with an event, at one instant. */
    public Handling handling(UUID event) {
        return transactions.read(() -> {
            List<String> consumers = inbox.consumers();
            Map<String, Instant> noted = inbox.noted(event, consumers);
            List<Failure> failures = inbox.find(event);
            return new Handling(
                    consumers.stream()
                            .map(consumer -> {
                                Failure failure = of(consumer, failures).orElse(null);
                                return new AtConsumer(
                                        consumer,
                                        noted.get(consumer),
                                        failure,
                                        failure == null ? null : first(failure));
                            })
                            .toList(),
                    sql.now(),
                    sql.audit(event));
        });
    }

    private static Optional<Failure> of(String consumer, List<Failure> failures) {
        return failures.stream()
                .filter(failure -> place(failure).consumer().equals(consumer))
                .findFirst();
    }

    private static Received place(Failure ofConsumer) {
        return (Received) ofConsumer.place();
    }

    /** An event without an aggregate waits for no other. */
    private @Nullable Failure first(Failure failure) {
        return failure.blocking() ? inbox.firstOfAggregate(place(failure)).orElse(null) : failure;
    }

    /** {@return the state of each consumer, in the order of their names} */
    public List<Consumer> overview() {
        return transactions.read(() -> {
            List<String> names = inbox.consumers();
            Map<String, Long> noted = inbox.notedWithinAnHour(MOST_COUNTED);
            boolean all = noted.values().stream().mapToLong(Long::longValue).sum() < MOST_COUNTED;
            List<ConsumerState> states = inbox.countByConsumer();
            Map<String, Double> oldest = inbox.oldestSeconds(names);
            List<Instance> instances = inbox.liveInstances();
            return names.stream()
                    .map(name -> new Consumer(
                            name,
                            Objects.requireNonNullElse(noted.get(name), 0L),
                            all,
                            failures(name, states),
                            oldest.get(name),
                            instances(name, instances)))
                    .toList();
        });
    }

    private static Map<State, Long> failures(String consumer, List<ConsumerState> states) {
        Map<State, Long> its = new EnumMap<>(State.class);
        states.stream()
                .filter(state -> state.consumer().equals(consumer))
                .forEach(state -> its.put(State.of(state.state()), state.events()));
        return its;
    }

    private static List<String> instances(String consumer, List<Instance> instances) {
        List<String> its = new ArrayList<>();
        instances.stream()
                .filter(instance -> instance.consumer().equals(consumer))
                .forEach(instance -> its.add(instance.name()));
        return its;
    }

    /** Notes something in the audit. Returns the number of the note. */
    public long note(String action, String what, long events, Note note) {
        return CommandTransactions.asked(sql, () -> sql.note(action, what, events, note));
    }

    /**
     * What the consumers of an inbox have done with an event.
     *
     * @param consumers all that the inbox knows
     * @param readAt time of this answer, by the database's clock
     * @param audit notes that name the event; null when the user may not read them
     */
    public record Handling(
            List<AtConsumer> consumers,
            Instant readAt,
            @Nullable List<Audited> audit) {}

    /**
     * What one consumer has done with an event: nothing that is known, if all else is null.
     *
     * @param consumer its name
     * @param notedAt when its inbox noted the event: when it was processed, or first stored among the failures
     * @param failure the event, if it was given up or waits behind one that was; without one, a noted event is
     *     processed
     * @param first of the failure's aggregate the event for which the others wait, perhaps itself
     */
    public record AtConsumer(
            String consumer,
            @Nullable Instant notedAt,
            @Nullable Failure failure,
            @Nullable Failure first) {}

    /**
     * The state of a consumer.
     *
     * @param name its name
     * @param notedWithinAnHour number of events that its inbox noted within the last hour: processed, or stored among
     *     the failures
     * @param counted whether that is the number; otherwise the minimum
     * @param failures number of its failures, by state
     * @param oldestSeconds age of its oldest event that is retrying or parked; null when it has none
     * @param instances its live processes, if its queue is partitioned
     */
    public record Consumer(
            String name,
            long notedWithinAnHour,
            boolean counted,
            Map<State, Long> failures,
            @Nullable Double oldestSeconds,
            List<String> instances) {}
}
