package io.outboxrelay.bench;

import io.outboxrelay.testservers.ServiceEvent;

/**
 * What a consumer in a chaos run has done about an event.
 *
 * @param event the event
 * @param before the highest sequence of its aggregate that had an effect, as the handler's transaction saw it; 0 for
 *     none
 * @param instance the instance of the consumer
 */
record ChaosEffect(ServiceEvent event, long before, String instance) {

    @Override
    public String toString() {
        return "%s by %s".formatted(event, instance);
    }
}
