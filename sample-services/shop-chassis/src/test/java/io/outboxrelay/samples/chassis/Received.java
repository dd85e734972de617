package io.outboxrelay.samples.chassis;

import io.outboxrelay.client.ReceivedEvent;
import java.util.Map;
import java.util.UUID;

/** Events as a consumer gets them. */
final class Received {

    private Received() {}

    static ReceivedEvent event(String type, byte[] payload) {
        return new ReceivedEvent(UUID.randomUUID(), type, "", "", payload, null, Map.of(), null, false);
    }
}
