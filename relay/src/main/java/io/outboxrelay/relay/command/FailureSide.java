package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.DatabaseOptions.Reach;
import io.outboxrelay.relay.database.FailedEvents;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The end of their way at which events failed, and what differs between the commands about the two. */
enum FailureSide {
    /** They could not be published. */
    RELAY(Reach.SOURCES, "failures", EnumSet.allOf(State.class)) {
        @Override
        FailedEvents of(Database database) {
            return database.failures().failedEvents();
        }

        @Override
        FilterOptions filters() {
            return new RelaysFilters();
        }
    },
    /** A consumer gave them up. */
    CONSUMER(Reach.INBOXES, "inbox failures", EnumSet.of(State.RETRYING, State.PARKED, State.WAITING)) {
        @Override
        FailedEvents of(Database database) {
            return database.consumers().failedEvents();
        }

        @Override
        FilterOptions filters() {
            return new ConsumersFilters();
        }
    };

    private final Reach reach;
    private final String command;
    private final Set<State> states;

    FailureSide(Reach reach, String command, Set<State> states) {
        this.reach = reach;
        this.command = command;
        this.states = states;
    }

    /** {@return which databases have such events} */
    Reach reach() {
        return reach;
    }

    /** {@return the command about them, as a person types it} */
    String command() {
        return command;
    }

    /** {@return the states that they can have} */
    Set<State> states() {
        return states;
    }

    /** {@return the failed events of a database} */
    abstract FailedEvents of(Database database);

    /** {@return new options that select some of them} */
    abstract FilterOptions filters();

    /** Options that select failures: those that match all given options. */
    interface FilterOptions {

        /** {@return whether any was given} */
        boolean given();

        /** {@return the filter, for some of these events (any if there are none) in one of these states} */
        Filter filter(List<UUID> events, Set<State> states);
    }

    /** Selects events that could not be published. */
    static final class RelaysFilters implements FilterOptions {

        @Option(
                names = "--failure-reason",
                paramLabel = "REASON",
                converter = Words.ReasonConverter.class,
                description = "Only events that failed for this reason, as shown by list.")
        private @Nullable String failureReason;

        @Mixin
        private final EventFilters events = new EventFilters();

        @Override
        public boolean given() {
            return failureReason != null || events.given();
        }

        @Override
        public Filter filter(List<UUID> ids, Set<State> states) {
            return events.filter(ids, states, failureReason, null);
        }
    }

    /** Selects events that consumers gave up, for reasons that their handlers named. */
    static final class ConsumersFilters implements FilterOptions {

        @Option(names = "--consumer", paramLabel = "NAME", description = "Only events of this consumer.")
        private @Nullable String consumer;

        @Option(
                names = "--failure-reason",
                paramLabel = "REASON",
                description = "Only events that failed for this reason, as shown by list.")
        private @Nullable String failureReason;

        @Mixin
        private final EventFilters events = new EventFilters();

        @Override
        public boolean given() {
            return consumer != null || failureReason != null || events.given();
        }

        @Override
        public Filter filter(List<UUID> ids, Set<State> states) {
            return events.filter(ids, states, failureReason, consumer);
        }
    }

    /** Selects events by what is known of them at both ends. */
    static final class EventFilters {

        @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
        private @Nullable String eventType;

        @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of this aggregate type.")
        private @Nullable String aggregateType;

        @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only events of aggregates with this id.")
        private @Nullable String aggregateId;

        @Option(
                names = "--older-than",
                paramLabel = "DURATION",
                converter = Words.AgeConverter.class,
                description = "Only events that first failed longer ago than this, for example 500ms, 30s, 15m, 2h"
                        + " or 7d.")
        private @Nullable Duration olderThan;

        private boolean given() {
            return Stream.of(eventType, aggregateType, aggregateId, olderThan).anyMatch(Objects::nonNull);
        }

        private Filter filter(List<UUID> ids, Set<State> states, @Nullable String reason, @Nullable String consumer) {
            return new Filter(ids, states, reason, eventType, aggregateType, aggregateId, olderThan, consumer);
        }
    }
}
