package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Address;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Retained;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Failures.Rows;
import io.outboxrelay.relay.database.Failures.Unpublished;
import io.outboxrelay.relay.database.OutboxStore.StateCount;
import io.outboxrelay.relay.database.Published.Extent;
import io.outboxrelay.relay.database.Published.Limits;
import io.outboxrelay.relay.database.Published.Selection;
import io.outboxrelay.relay.database.SentHistories.Reach;
import io.outboxrelay.relay.lane.Event;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a command asks of a kind of database. An act runs in the transaction of the caller, if there is one;
 * {@link #trouble} classifies the errors that it throws.
 */
interface CommandActs extends FailureActs {

    /** Limits the transaction: a command that hangs must not keep a lane from its relay. */
    void limit();

    /** Returns what an error means. */
    Trouble trouble(SQLException error);

    /** Adds a note to the audit, and returns its number. */
    long note(String action, String what, long events, Note note);

    /** Pauses a route. Returns whether it was not paused already. */
    boolean pause(Route route, Note note);

    /** Ends a pause. Returns whether there was one. */
    boolean resume(Route route);

    List<Pause> pauses();

    List<Pause> pausesOf(Address address);

    /**
     * Finds an event of the outbox.
     *
     * @param event its id
     * @param unreadable whether the server could not send a text, and has to replace the signs that it cannot send
     */
    Optional<Unpublished> unpublished(UUID event, boolean unreadable);

    /**
     * Reads the first events of an aggregate in the outbox.
     *
     * @param aggregateType exactly this
     * @param aggregateId exactly this
     * @param limit most events
     * @param unreadable whether the server could not send a text, and has to replace the signs that it cannot send
     */
    List<Unpublished> unpublishedOf(String aggregateType, String aggregateId, int limit, boolean unreadable);

    /** Counts the events of an aggregate in the outbox. */
    long countUnpublishedOf(String aggregateType, String aggregateId);

    /**
     * Finds a retained event.
     *
     * @param event its id
     * @param unreadable whether the server could not send a text, and has to replace the signs that it cannot send
     */
    Optional<Retained> retained(UUID event, boolean unreadable);

    /** Finds the first blocking failure of an aggregate. */
    Optional<Failure> firstOfAggregate(Address address);

    Optional<Lane> lane(int lane);

    /** Returns the notes of the audit that name an event; null when the user may not read them. */
    @Nullable
    List<Audited> audit(UUID event);

    /**
     * Reads the newest entries of the audit, newest first.
     *
     * @param since none from before this time; null for any
     * @param limit most entries
     */
    List<Audited> audit(@Nullable Instant since, int limit);

    /** Returns the rights of a running relay that this user lacks, each as a privilege and a table. */
    List<String> missingRights(boolean retaining);

    // Published

    Instant now();

    Extent extent(Selection selection, long after);

    List<Event> next(Selection selection, long after, Limits limits);

    Set<String> settling();

    // SentHistories

    /** Puts the schema in the place of {@code SCHEMA}. */
    String in(String statement);

    /** Returns the form in which an id is bound. */
    Object bound(UUID id);

    /** Returns what reads ids and times. */
    Rows rows();

    Reach reach(Selection selection, long after, long upTo);

    int sentAll(String queue);

    // Overview

    List<LaneAndLag> lanes();

    List<String> instances();

    /** Counts all failures. */
    List<StateCount> countByState();

    List<Overview.Pause> pausesNow();

    /** A lane, and the age of its oldest event in seconds. */
    record LaneAndLag(Overview.Lane lane, double lagSeconds) {}

    /** What an error of the database means for a command. */
    enum Trouble {
        DEADLOCK,
        NO_RIGHT,
        /** A statement or the wait for a lock exceeded {@link CommandActs#limit}. */
        TOO_LONG,
        /** The server could not send a text in UTF-8. */
        UNREADABLE,
        OTHER
    }
}
