package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Received;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What a command asks of the inbox of a kind of database. An act runs in the transaction of the caller. The rows of an
 * inbox are found by consumer, so most acts take the consumers' names, of which there are few.
 */
interface InboxActs extends FailureActs {

    /** Returns the names of all consumers that have noted an event, given one up, or run several instances. */
    List<String> consumers();

    /** Finds when the inboxes of consumers noted an event. */
    Map<String, Instant> noted(UUID event, List<String> consumers);

    /** Finds the first event of an aggregate that a consumer gave up. */
    Optional<Failure> firstOfAggregate(Received place);

    /**
     * Counts by consumer what was noted within the last hour.
     *
     * @param most reads no more than this number of events, the latest ones
     */
    Map<String, Long> notedWithinAnHour(int most);

    /** Counts failures. */
    List<ConsumerState> countByConsumer();

    /** Returns the age in seconds of each consumer's oldest event that is retrying or parked. */
    Map<String, Double> oldestSeconds(List<String> consumers);

    /** Returns the live instances of consumers whose queues are partitioned. */
    List<Instance> liveInstances();

    /** Number of a consumer's failures in a state. */
    record ConsumerState(String consumer, String state, long events) {}

    /** A process of a consumer. */
    record Instance(String consumer, String name) {}
}
