package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.CommandActs.Trouble;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What commands ask and change about the unpublished events of one outbox, while relays run or while none does. Changes
 * need the rights of the role {@code outbox_admin}, questions those of {@code outbox_relay}. Every method throws an
 * {@link UnavailableException} when the database cannot be used.
 *
 * <p>Payloads and values of headers are never read.
 */
public final class Failures {

    /** Most rows of a summary: services could invent any number of types. */
    public static final int MOST_GROUPS = 20;

    private final CommandActs sql;
    private final CommandTransactions transactions;

    Failures(CommandActs sql, CommandTransactions transactions) {
        this.sql = sql;
        this.transactions = transactions;
    }

    /**
     * Checks that the outbox is installed and new enough.
     *
     * @throws UnavailableException if it is not, or the database does not answer
     */
    public void requireVersion() {
        transactions.requireVersion("outbox", OutboxSchema.REQUIRED_VERSION);
    }

    /** {@return the events that could not be published} */
    public FailedEvents failedEvents() {
        return new FailedEvents(sql, sql, transactions, "");
    }

    /** Pauses a route. Returns whether it was not paused already. */
    public boolean pause(Route route, Note note) {
        return transactions.change(() -> audited(sql.pause(route, note), "pause", route, note));
    }

    /** Ends the pause of exactly this route; a relay then resumes its events. Returns whether it was paused. */
    public boolean resume(Route route, Note note) {
        return transactions.change(() -> audited(sql.resume(route), "resume", route, note));
    }

    /** Ends all pauses. Returns the routes that were paused. */
    public List<Route> resumeAll(Note note) {
        return transactions.change(() -> {
            List<Route> resumed = new ArrayList<>();
            for (Pause pause : sql.pauses()) {
                if (audited(sql.resume(pause.route()), "resume", pause.route(), note)) {
                    resumed.add(pause.route());
                }
            }
            return resumed;
        });
    }

    /** {@return the paused routes, those of all types first} */
    public List<Pause> pauses() {
        return transactions.read(sql::pauses);
    }

    /** Finds where an event is and what it waits for, at one instant. */
    public Whereabouts locate(UUID event) {
        return readable(unreadable -> locate(event, unreadable));
    }

    /** A server that cannot send a text is asked once more, to replace the signs that it cannot send. */
    private <T> T readable(Function<Boolean, T> question) {
        try {
            return question.apply(false);
        } catch (UnavailableException e) {
            if (CommandTransactions.trouble(e, sql) != Trouble.UNREADABLE) {
                throw e;
            }
            return question.apply(true);
        }
    }

    private Whereabouts locate(UUID event, boolean unreadable) {
        return transactions.read(() -> {
            Optional<Unpublished> unpublished = sql.unpublished(event, unreadable);
            Optional<Failure> failure = sql.find(event).stream().findFirst();
            Optional<Address> address = unpublished.map(Unpublished::address).or(() -> failure.map(Failures::address));
            return new Whereabouts(
                    unpublished.orElse(null),
                    failure.orElse(null),
                    sql.retained(event, unreadable).orElse(null),
                    address.flatMap(sql::firstOfAggregate).orElse(null),
                    address.flatMap(known -> sql.lane(known.lane())).orElse(null),
                    address.map(sql::pausesOf).orElse(List.of()),
                    sql.audit(event));
        });
    }

    /**
     * Finds the events of an aggregate that are not delivered, at one instant.
     *
     * @param aggregateType exactly this
     * @param aggregateId exactly this
     * @param limit most failures and most events of the outbox that are listed
     * @return its events
     */
    public Undelivered undelivered(String aggregateType, String aggregateId, int limit) {
        return readable(unreadable -> undelivered(aggregateType, aggregateId, limit, unreadable));
    }

    private Undelivered undelivered(String aggregateType, String aggregateId, int limit, boolean unreadable) {
        Filter its = new Filter(List.of(), Set.of(State.values()), null, null, aggregateType, aggregateId, null);
        return transactions.read(() -> {
            List<Failure> failures = sql.list(its, limit);
            long failed = sql.count(its);
            List<Unpublished> unpublished = sql.unpublishedOf(aggregateType, aggregateId, limit, unreadable);
            Optional<Address> address = failures.stream()
                    .map(Failures::address)
                    .findFirst()
                    .or(() -> unpublished.stream().map(Unpublished::address).findFirst());
            return new Undelivered(
                    failures,
                    failed,
                    unpublished,
                    unpublished.isEmpty() ? 0 : sql.countUnpublishedOf(aggregateType, aggregateId),
                    address.flatMap(sql::firstOfAggregate).orElse(null),
                    address.flatMap(known -> sql.lane(known.lane())).orElse(null),
                    address.map(sql::pausesOf).orElse(List.of()));
        });
    }

    /**
     * Reads the audit, newest first.
     *
     * @param limit most entries
     * @param since given the time of the database, returns the time of the oldest entry wanted; null for all
     * @return the entries
     */
    public List<Audited> audit(int limit, @Nullable UnaryOperator<Instant> since) {
        return transactions.read(() -> sql.audit(since == null ? null : since.apply(sql.now()), limit));
    }

    /**
     * Finds the rights that a running relay needs and this database user lacks.
     *
     * @param retaining whether published events are retained
     * @return each as a privilege and a table; empty when none is missing
     */
    public List<String> missingRights(boolean retaining) {
        return CommandTransactions.asked(sql, () -> sql.missingRights(retaining));
    }

    private static Address address(Failure ofTheRelay) {
        return (Address) ofTheRelay.place();
    }

    private boolean audited(boolean done, String action, Route route, Note note) {
        if (done) {
            sql.note(action, route.toString(), 0, note);
        }
        return done;
    }

    /**
     * Maps the rows that {@link CommandActs} and {@link InboxActs} read, by the names of their columns.
     *
     * @param reader reads ids and times of this kind of database
     */
    record Rows(EventReader reader) {

        Failure failure(ResultSet row, Place place, List<String> headerNames) throws SQLException {
            return new Failure(
                    reader.id().read(row, row.findColumn("event_id")),
                    place,
                    new Content(
                            row.getLong("payload_bytes"),
                            EventReader.shown(row, "content_type"),
                            headerNames,
                            occurredAt(row)),
                    State.of(row.getString("state")),
                    row.getBoolean("blocking"),
                    row.getInt("attempts"),
                    row.getInt("failures"),
                    time(row, "next_attempt_at"),
                    time(row, "first_failed_at"),
                    time(row, "failed_at"),
                    row.getString("reason"),
                    row.getString("detail"),
                    row.getLong("before_it"),
                    row.getLong("behind_it"),
                    instant(row, "read_at"));
        }

        Unpublished unpublished(ResultSet row, int n) throws SQLException {
            return new Unpublished(
                    reader.id().read(row, row.findColumn("event_id")),
                    address(row),
                    row.getLong("payload_bytes"),
                    occurredAt(row),
                    row.getLong("before_in_lane"),
                    row.getLong("before_in_aggregate"),
                    instant(row, "read_at"));
        }

        Retained retained(ResultSet row, int n) throws SQLException {
            return new Retained(address(row), instant(row, "published_at"), instant(row, "read_at"));
        }

        Pause pause(ResultSet row, int n) throws SQLException {
            return new Pause(
                    new Route(row.getString("aggregate_type"), row.getString("event_type")),
                    instant(row, "paused_at"),
                    row.getString("paused_by"),
                    row.getString("reason"));
        }

        Audited audited(ResultSet row, int n) throws SQLException {
            return new Audited(
                    row.getLong("id"),
                    instant(row, "at"),
                    row.getString("db_user"),
                    row.getString("who"),
                    row.getString("action"),
                    row.getString("what"),
                    row.getLong("events"),
                    row.getString("reason"));
        }

        static Group group(ResultSet row, int n) throws SQLException {
            return group(row, (String) null);
        }

        static Group groupOfConsumer(ResultSet row, int n) throws SQLException {
            return group(row, row.getString("consumer"));
        }

        private static Group group(ResultSet row, @Nullable String consumer) throws SQLException {
            return new Group(
                    row.getString("why"),
                    EventReader.shown(row, "aggregate_type"),
                    EventReader.shown(row, "event_type"),
                    row.getLong("events"),
                    consumer);
        }

        static Lane lane(ResultSet row, int n) throws SQLException {
            return new Lane(
                    row.getInt("lane"), row.getString("owner"), row.getLong("epoch"), row.getDouble("lease_seconds"));
        }

        static Received received(ResultSet row) throws SQLException {
            return new Received(
                    row.getString("consumer"),
                    row.getString("queue"),
                    EventReader.shown(row, "aggregate_type"),
                    EventReader.shown(row, "aggregate_id"),
                    EventReader.shown(row, "event_type"));
        }

        static Address address(ResultSet row) throws SQLException {
            return new Address(
                    row.getInt("lane"),
                    row.getLong("position"),
                    EventReader.shown(row, "aggregate_type"),
                    EventReader.shown(row, "aggregate_id"),
                    EventReader.shown(row, "event_type"));
        }

        private @Nullable Instant occurredAt(ResultSet row) throws SQLException {
            return EventReader.readable(row, row.findColumn("occurred_at"), reader.time())
                    .orElse(null);
        }

        Instant instant(ResultSet row, String column) throws SQLException {
            return Objects.requireNonNull(time(row, column));
        }

        @Nullable
        Instant time(ResultSet row, String column) throws SQLException {
            return reader.time().read(row, row.findColumn(column));
        }
    }

    /**
     * Selects the failures that match every given value.
     *
     * @param events ids; empty for any
     * @param states one of these
     * @param reason exactly this; null for any
     * @param eventType exactly this; null for any
     * @param aggregateType exactly this; null for any
     * @param aggregateId exactly this; null for any
     * @param olderThan failed first (or occurred, if it has not failed) longer ago than this; null for any
     * @param consumer given up by exactly this one; null for any, and for events that the relay could not publish
     */
    public record Filter(
            List<UUID> events,
            Set<State> states,
            @Nullable String reason,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable Duration olderThan,
            @Nullable String consumer) {

        /** Of any consumer. */
        public Filter(
                List<UUID> events,
                Set<State> states,
                @Nullable String reason,
                @Nullable String eventType,
                @Nullable String aggregateType,
                @Nullable String aggregateId,
                @Nullable Duration olderThan) {
            this(events, states, reason, eventType, aggregateType, aggregateId, olderThan, null);
        }

        /**
         * Narrows the states.
         *
         * @param allowed the states to keep
         * @return the same filter with fewer states
         */
        public Filter in(Set<State> allowed) {
            Set<State> both = states.stream().filter(allowed::contains).collect(Collectors.toSet());
            return new Filter(events, both, reason, eventType, aggregateType, aggregateId, olderThan, consumer);
        }

        /** Describes itself for the audit. */
        @Override
        public String toString() {
            List<String> words = new ArrayList<>();
            words.add(Arrays.stream(State.values())
                    .filter(states::contains)
                    .map(State::toString)
                    .collect(Collectors.joining(" or ")));
            if (!events.isEmpty()) {
                words.add("event " + events.stream().map(UUID::toString).collect(Collectors.joining(", ")));
            }
            add(words, "consumer", consumer);
            add(words, "reason", reason);
            add(words, "type", eventType);
            add(words, "aggregate type", aggregateType);
            add(words, "aggregate id", aggregateId);
            add(words, "older than", olderThan);
            return String.join(", ", words);
        }

        private static void add(List<String> words, String name, @Nullable Object value) {
            if (value != null) {
                words.add(name + " " + value);
            }
        }
    }

    /** Who changes something and why (may be empty), for the audit. The database adds the time. */
    public record Note(String who, String reason) {}

    /** The events of some types, each of which may be {@link #ANY}. */
    public record Route(String aggregateType, String eventType) {

        /** Stands for every type. */
        public static final String ANY = "*";

        @Override
        public String toString() {
            return "aggregate type %s, event type %s".formatted(aggregateType, eventType);
        }
    }

    /** A paused route. */
    public record Pause(Route route, Instant pausedAt, String pausedBy, String reason) {}

    /** Where an event belongs, at one end of its way. */
    public sealed interface Place {

        /** {@return the type of its aggregate; empty if a consumer got it without one} */
        String aggregateType();

        /** {@return the id of its aggregate; empty if a consumer got it without one} */
        String aggregateId();

        /** {@return its type} */
        String eventType();
    }

    /** Where an event belongs at the relay. It keeps the position that it had in the outbox. */
    public record Address(int lane, long position, String aggregateType, String aggregateId, String eventType)
            implements Place {}

    /**
     * Where an event belongs at a consumer.
     *
     * @param consumer its name
     * @param queue where the event came from
     */
    public record Received(String consumer, String queue, String aggregateType, String aggregateId, String eventType)
            implements Place {}

    /**
     * What may be shown of an event's content.
     *
     * @param headerNames also empty when they cannot be read
     * @param occurredAt as the service set it; null when that is not a valid time
     */
    public record Content(
            long payloadBytes,
            String contentType,
            List<String> headerNames,
            @Nullable Instant occurredAt) {}

    /**
     * An event that failed or waits behind one that did.
     *
     * @param place an {@link Address} if it could not be published, {@link Received} if a consumer gave it up
     * @param blocking whether later events of its aggregate wait for it
     * @param attempts spent attempts
     * @param failures failures in a row; of a consumer as many as attempts
     * @param nextAttemptAt time of the next attempt, if there is one
     * @param firstFailedAt time of the first failure, if it failed
     * @param failedAt time of the last failure, if it failed
     * @param reason why, in a word
     * @param detail why, in the words of the broker or of the consumer's handler
     * @param before how many rows of its aggregate are before it
     * @param behind how many rows of its aggregate wait behind it
     * @param readAt time of this answer, by the database's clock
     */
    public record Failure(
            UUID event,
            Place place,
            Content content,
            State state,
            boolean blocking,
            int attempts,
            int failures,
            @Nullable Instant nextAttemptAt,
            @Nullable Instant firstFailedAt,
            @Nullable Instant failedAt,
            @Nullable String reason,
            @Nullable String detail,
            long before,
            long behind,
            Instant readAt) {}

    /**
     * Failures that match a filter.
     *
     * @param counts their number by state
     * @param waitingBehind number of events that wait behind them
     * @param groups their number by reason and types, the largest first; at most {@link #MOST_GROUPS}
     * @param failures the first of them
     */
    public record Listing(Map<State, Long> counts, long waitingBehind, List<Group> groups, List<Failure> failures) {}

    /**
     * The failures of one reason and one route.
     *
     * @param reason why they failed, in a word; the state of those that have not failed
     * @param consumer which gave them up; null if they could not be published
     */
    public record Group(
            String reason,
            String aggregateType,
            String eventType,
            long events,
            @Nullable String consumer) {

        /** Of events that could not be published. */
        public Group(String reason, String aggregateType, String eventType, long events) {
            this(reason, aggregateType, eventType, events, null);
        }
    }

    /**
     * An event that is still in the outbox.
     *
     * @param event its id
     * @param occurredAt as the service set it; null when that is not a valid time
     * @param beforeInLane how many events of its lane are before it; 0 when a whole aggregate was asked for
     * @param beforeInAggregate how many of those belong to its aggregate
     * @param readAt time of this answer, by the database's clock
     */
    public record Unpublished(
            UUID event,
            Address address,
            long payloadBytes,
            @Nullable Instant occurredAt,
            long beforeInLane,
            long beforeInAggregate,
            Instant readAt) {}

    /**
     * A lane.
     *
     * @param owner the relay that publishes it; null for none
     * @param epoch how often the owner has changed
     * @param leaseSeconds seconds until the lease ends; 0 when it has ended
     */
    public record Lane(int lane, @Nullable String owner, long epoch, double leaseSeconds) {}

    /**
     * The events of one aggregate that are not delivered.
     *
     * @param failures its first failures, in order
     * @param failed number of its failures
     * @param unpublished its first events in the outbox, in order; they come after the failures
     * @param inOutbox number of its events in the outbox
     * @param first the failure that blocks the others; null when none does
     * @param lane its lane; null when it has no such events
     * @param pauses that apply to its first event
     */
    public record Undelivered(
            List<Failure> failures,
            long failed,
            List<Unpublished> unpublished,
            long inOutbox,
            @Nullable Failure first,
            @Nullable Lane lane,
            List<Pause> pauses) {}

    /**
     * An entry of the audit.
     *
     * @param id its number
     * @param at when, by the database's clock
     * @param dbUser the database user, as the database knows it
     * @param who the person, as he said
     * @param action what was done
     * @param what to which events
     * @param events how many
     * @param reason why; may be empty
     */
    public record Audited(
            long id, Instant at, String dbUser, String who, String action, String what, long events, String reason) {}

    /**
     * A retained event, with the times when its publishing was recorded and of this answer, by the database's clock.
     */
    public record Retained(Address address, Instant publishedAt, Instant readAt) {}

    /**
     * Where an event is.
     *
     * @param unpublished in the outbox
     * @param failure among the failures
     * @param retained among the retained events; also null when none are retained
     * @param first the first blocking failure of its aggregate, perhaps itself
     * @param lane its lane; null when the event was not found
     * @param pauses that apply to its route
     * @param audit notes that name it; null when the user may not read them
     */
    public record Whereabouts(
            @Nullable Unpublished unpublished,
            @Nullable Failure failure,
            @Nullable Retained retained,
            @Nullable Failure first,
            @Nullable Lane lane,
            List<Pause> pauses,
            @Nullable List<Audited> audit) {}

    /** The database or its tables cannot be used. The message is a sentence for a person. */
    public static final class UnavailableException extends RuntimeException {

        /** Takes a sentence for a person, and the cause if there is one. */
        public UnavailableException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
