package io.outboxrelay.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * An event with its number in its aggregate.
 *
 * @param id the event's id
 * @param aggregate the number of the aggregate
 * @param number from 1, without a gap
 */
record NumberedEvent(UUID id, int aggregate, int number) {

    /** The first events of so many aggregates, which take turns. */
    static List<NumberedEvent> ofAggregates(int aggregates, int each) {
        return ofAggregates(aggregates, 1, each);
    }

    /** The events from one number to another of so many aggregates, which take turns. */
    static List<NumberedEvent> ofAggregates(int aggregates, int from, int to) {
        List<NumberedEvent> events = new ArrayList<>();
        for (int number = from; number <= to; number++) {
            for (int aggregate = 0; aggregate < aggregates; aggregate++) {
                events.add(new NumberedEvent(UUID.randomUUID(), aggregate, number));
            }
        }
        return events;
    }

    /** Reads one whose payload is its number. */
    static NumberedEvent of(ReceivedEvent event) {
        return new NumberedEvent(
                event.id(),
                Integer.parseInt(event.aggregateId()),
                Integer.parseInt(new String(event.payload(), StandardCharsets.UTF_8)));
    }

    byte[] payload() {
        return Integer.toString(number).getBytes(StandardCharsets.UTF_8);
    }

    /** As a relay numbers it if the hash of an aggregate is its number. */
    int lane() {
        return aggregate % ConsumerQueue.DEFAULT_LANES;
    }
}
