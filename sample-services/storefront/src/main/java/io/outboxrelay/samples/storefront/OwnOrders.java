package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.Inbox;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Read your own writes: waits until the views have an order that was just placed, so that its customer finds it there.
 * The order is placed in any case: whatever goes wrong here only means that it may not be in the views yet.
 */
@Component
class OwnOrders {

    private static final Logger LOG = LoggerFactory.getLogger(OwnOrders.class);

    private final Inbox inbox;
    private final StorefrontSettings settings;
    private final JsonMapper json;

    OwnOrders(Inbox inbox, StorefrontSettings settings, JsonMapper json) {
        this.inbox = inbox;
        this.settings = settings;
        this.json = json;
    }

    /** What is needed of the orders service's answer. */
    private record Placed(@Nullable UUID eventId) {}

    /**
     * Waits for the event that reports an order, at most for {@code storefront.own-order}.
     *
     * @param answer of the orders service, which names the event
     */
    void await(byte @Nullable [] answer) {
        try {
            UUID eventId =
                    answer == null ? null : json.readValue(answer, Placed.class).eventId();
            if (eventId != null) {
                inbox.await(StorefrontService.CONSUMER, eventId, settings.ownOrder());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (DataAccessException | JacksonException e) {
            LOG.warn("An order is placed, but whether the views have it is not known: {}", e.getMessage());
        }
    }
}
