package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.lane.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What was published and is retained, for a replay. Needs the rights of the role {@code outbox_admin}, since it notes what
 * was done. Every method throws a {@link Failures.UnavailableException} when the database cannot be used.
 */
public interface Published {

    /** {@return the database's time} */
    Instant now();

    /**
     * Counts what fits.
     *
     * @param selection which events
     * @param after only those with a later place
     * @return how many
     */
    Extent extent(Selection selection, long after);

    /**
     * Reads on, in the order of publishing within each aggregate.
     *
     * @param selection which events
     * @param after the place after which to read
     * @param limits bounds of what is read
     * @return the next ones, whose {@link Event#position()} is their place; empty when there are no more
     */
    List<Event> next(Selection selection, long after, Limits limits);

    /**
     * Names the transactions that are settling at this moment. Once all of them have ended, everything that was settled
     * before this call can be read.
     *
     * @return their names, which no other transaction will ever have, each with what is known of its session
     */
    Set<String> settling();

    /**
     * Notes for the audit that events were sent again.
     *
     * @param action what is done
     * @param what in words
     * @param events how many
     * @param note who wants it and why
     * @return the number of the note
     */
    long note(String action, String what, long events, Note note);

    /**
     * Which events: those that fit all that is given.
     *
     * @param events ids; empty for any
     * @param from published then or later; null for any time
     * @param to published before; null for any time
     * @param eventType null for any
     * @param aggregateType null for any
     * @param aggregateId null for any
     */
    record Selection(
            List<UUID> events,
            @Nullable Instant from,
            @Nullable Instant to,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId) {

        /** {@return whether it is not just everything} */
        public boolean isNarrowed() {
            return !events.isEmpty()
                    || Stream.of(from, to, eventType, aggregateType, aggregateId)
                            .anyMatch(Objects::nonNull);
        }

        /**
         * Narrows it down to what was published before a time.
         *
         * @param time the time
         * @return the same, with an earlier end if it ended later
         */
        public Selection before(Instant time) {
            Instant end = to == null || to.isAfter(time) ? time : to;
            return new Selection(events, from, end, eventType, aggregateType, aggregateId);
        }

        /** In words, for the audit. */
        @Override
        public String toString() {
            List<String> words = new ArrayList<>();
            add(
                    words,
                    "events",
                    events.isEmpty()
                            ? null
                            : events.stream().map(UUID::toString).collect(Collectors.joining(", ")));
            add(words, "published from", from);
            add(words, "published before", to);
            add(words, "event type", eventType);
            add(words, "aggregate type", aggregateType);
            add(words, "aggregate id", aggregateId);
            return String.join(", ", words);
        }

        private static void add(List<String> words, String what, @Nullable Object value) {
            if (value != null) {
                words.add(what + " " + value);
            }
        }
    }

    /**
     * What a selection has.
     *
     * @param events how many
     * @param oldest when nothing fits, when the oldest event that is retained at all was published; null when there is none
     */
    record Extent(long events, @Nullable Instant oldest) {}

    /**
     * Bounds of one reading.
     *
     * @param events most events
     * @param bytes most payload bytes; one event is always read
     * @param largest a larger payload is not read
     */
    record Limits(int events, long bytes, int largest) {}
}
