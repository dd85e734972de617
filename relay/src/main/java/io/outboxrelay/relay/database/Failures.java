package io.outboxrelay.relay.database;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a person can ask and change about the events of one outbox that are not published, while relays run and while none
 * does. Needs the rights of the role {@code outbox_admin}; asking only, those of {@code outbox_relay}. Every method throws
 * an {@link UnavailableException} when the database cannot be used.
 *
 * <p>A change takes the rows of its lanes in {@code outbox_lane}, as a relay does before it writes a failure, decides
 * anew what is to be changed, restores the order of the aggregates, and notes in {@code outbox_audit} what it did, all in
 * one transaction. Many rows are changed in several transactions, since a relay cannot renew its lease of a lane meanwhile;
 * what was changed before a crash stays changed, and the command can be given again.
 *
 * <p>Payloads and values of headers are never read.
 */
public interface Failures {

    /**
     * Makes sure that the tables are there and new enough.
     *
     * @throws UnavailableException if they are not, or the database does not answer
     */
    void requireVersion();

    /**
     * Looks at failures, in the order in which they came.
     *
     * @param filter which
     * @param limit most that are returned; all are counted
     * @return what was found at one instant
     */
    Listing list(Filter filter, int limit);

    /**
     * Finds one event.
     *
     * @param event its id
     * @return the failure; empty when there is none of this event
     */
    Optional<Failure> find(UUID event);

    /**
     * Counts failures.
     *
     * @param filter which
     * @return how many
     */
    long count(Filter filter);

    /**
     * Lets parked events be tried again, as if they had never been, in the order of their aggregates.
     *
     * @param filter which; of these only the parked ones
     * @param note who wants it and why
     * @param progress is told after every transaction how many have been changed in all
     * @return how many were changed by this call: of two that do the same at once, one changes a row
     */
    long retry(Filter filter, Note note, LongConsumer progress);

    /**
     * Deletes events that failed or are paused; the next ones of their aggregates move up.
     *
     * @param filter which; of these not those that wait, which have not failed
     * @param note who wants it and why; the ids of what is deleted are added
     * @param progress is told after every transaction how many have been deleted in all
     * @return how many were deleted by this call
     */
    long discard(Filter filter, Note note, LongConsumer progress);

    /**
     * Pauses a route.
     *
     * @param route which events are not to be published for now
     * @param note who wants it and why
     * @return whether it was not paused already
     */
    boolean pause(Route route, Note note);

    /**
     * Ends the pause of a route. The relay brings what was paused back.
     *
     * @param route exactly as it was paused
     * @param note who wants it and why
     * @return whether it was paused
     */
    boolean resume(Route route, Note note);

    /** {@return the routes that are paused, those of all types first} */
    List<Pause> pauses();

    /**
     * Finds out where an event is and what it waits for.
     *
     * @param event its id
     * @return what was found at one instant
     */
    Whereabouts locate(UUID event);

    /** What a row of {@code outbox_failure} is waiting for; written in lower case there. */
    enum State {
        RETRYING,
        PARKED,
        PAUSED,
        WAITING;

        /** Those that are the first of their aggregate: what a person looks at. */
        public static final Set<State> SHOWN = Set.of(RETRYING, PARKED, PAUSED);

        /** {@return the state of this name} */
        public static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Which failures are meant: those that fit everything that is given.
     *
     * @param events ids; empty for any
     * @param states one of these
     * @param reason exactly this; null for any
     * @param eventType exactly this; null for any
     * @param aggregateType exactly this; null for any
     * @param aggregateId exactly this; null for any
     * @param olderThan failed for the first time, or for want of that occurred, longer ago than this; null for any
     */
    record Filter(
            List<UUID> events,
            Set<State> states,
            @Nullable String reason,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable Duration olderThan) {

        /**
         * The same, but of the states only those that are given here.
         *
         * @param allowed the states to keep
         * @return the changed filter
         */
        public Filter in(Set<State> allowed) {
            Set<State> both = states.stream().filter(allowed::contains).collect(Collectors.toSet());
            return new Filter(events, both, reason, eventType, aggregateType, aggregateId, olderThan);
        }

        /** In words, for the audit. */
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

    /**
     * Who changes something and why, for the audit. When is the database's to say.
     *
     * @param who a person
     * @param reason in their words; may be empty
     */
    record Note(String who, String reason) {}

    /**
     * Some types of events.
     *
     * @param aggregateType one, or {@link #ANY}
     * @param eventType one, or {@link #ANY}
     */
    record Route(String aggregateType, String eventType) {

        /** Stands for every type. */
        public static final String ANY = "*";

        @Override
        public String toString() {
            return "aggregate type %s, event type %s".formatted(aggregateType, eventType);
        }
    }

    /**
     * A paused route.
     *
     * @param route what is paused
     * @param pausedAt since when
     * @param pausedBy by whom
     * @param reason why
     */
    record Pause(Route route, Instant pausedAt, String pausedBy, String reason) {}

    /**
     * Where an event belongs.
     *
     * @param lane its lane
     * @param position its position in the outbox, also when it has left it
     * @param aggregateType type of its aggregate
     * @param aggregateId id of its aggregate
     * @param eventType its type
     */
    record Address(int lane, long position, String aggregateType, String aggregateId, String eventType) {}

    /**
     * What may be shown of an event's content.
     *
     * @param payloadBytes size of the payload
     * @param contentType type of the payload
     * @param headerNames names of the headers; empty also when these cannot be read
     * @param occurredAt as the service said; null when that is no time
     */
    record Content(
            long payloadBytes,
            String contentType,
            List<String> headerNames,
            @Nullable Instant occurredAt) {}

    /**
     * An event that failed, or waits behind one that did.
     *
     * @param event its id
     * @param address where it belongs
     * @param content what may be shown of it
     * @param state what it waits for
     * @param blocking whether later events of its aggregate wait for it
     * @param attempts attempts that were spent
     * @param failures failures in a row
     * @param nextAttemptAt when it is tried again, if it is
     * @param firstFailedAt when it failed first, if it has
     * @param failedAt when it failed last, if it has
     * @param reason why, in a word
     * @param detail why, in the broker's words
     * @param before how many rows of its aggregate it waits for
     * @param behind how many rows of its aggregate wait for it
     * @param readAt when all this was so, by the database's clock
     */
    record Failure(
            UUID event,
            Address address,
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
     * What was found.
     *
     * @param counts of all that fit, by state
     * @param waitingBehind how many events wait behind those
     * @param failures the first of those that fit
     */
    record Listing(Map<State, Long> counts, long waitingBehind, List<Failure> failures) {}

    /**
     * An event that is still in the outbox.
     *
     * @param address where
     * @param payloadBytes size of its payload
     * @param occurredAt as the service said; null when that is no time
     * @param beforeInLane how many events of its lane are before it
     * @param beforeInAggregate how many of these are of its aggregate
     * @param readAt when this was so, by the database's clock
     */
    record Unpublished(
            Address address,
            long payloadBytes,
            @Nullable Instant occurredAt,
            long beforeInLane,
            long beforeInAggregate,
            Instant readAt) {}

    /**
     * Who publishes a lane.
     *
     * @param lane its number
     * @param owner null for none
     * @param epoch how often the owner has changed
     * @param leaseSeconds what is left of the lease; 0 when it has run out
     */
    record Lane(int lane, @Nullable String owner, long epoch, double leaseSeconds) {}

    /**
     * What somebody did to an event.
     *
     * @param at when
     * @param who a person
     * @param action what
     * @param reason why
     */
    record Audited(Instant at, String who, String action, String reason) {}

    /**
     * An event that was published and is retained.
     *
     * @param address where it belonged
     * @param publishedAt when its publishing was written down
     * @param readAt when this was so, by the database's clock
     */
    record Retained(Address address, Instant publishedAt, Instant readAt) {}

    /**
     * Where an event is.
     *
     * @param unpublished in the outbox
     * @param failure among the failures
     * @param retained among what was published; null also when nothing is retained
     * @param first the blocking failure of its aggregate that comes first, perhaps itself
     * @param lane who publishes its lane; null when the event is nowhere
     * @param pauses that its route falls under
     * @param audit what was done to it by name; null when the user may not read that
     */
    record Whereabouts(
            @Nullable Unpublished unpublished,
            @Nullable Failure failure,
            @Nullable Retained retained,
            @Nullable Failure first,
            @Nullable Lane lane,
            List<Pause> pauses,
            @Nullable List<Audited> audit) {}

    /** The database or its tables cannot be used; the message is a sentence for a person. */
    final class UnavailableException extends RuntimeException {

        /**
         * @param message a sentence for a person
         * @param cause null for none
         */
        public UnavailableException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
