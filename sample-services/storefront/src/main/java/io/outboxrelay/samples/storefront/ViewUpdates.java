package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.chassis.Freshness;
import java.util.List;
import org.springframework.stereotype.Component;

/**
 * Applies every event of the shop to all views. The consumer calls it inside the inbox's transaction, so all views
 * change together, and once for each event. It ignores types of events without a contract.
 */
@Component
class ViewUpdates implements EventHandler {

    private final Events events;
    private final Sequence sequence;
    private final List<View> views;
    private final Freshness freshness;

    ViewUpdates(Events events, Sequence sequence, List<View> views, Freshness freshness) {
        this.events = events;
        this.sequence = sequence;
        this.views = views;
        this.freshness = freshness;
    }

    @Override
    public void handle(ReceivedEvent received) {
        events.read(received).flatMap(body -> ShopEvent.of(received, body)).ifPresent(event -> apply(received, event));
    }

    private void apply(ReceivedEvent received, ShopEvent event) {
        sequence.check(received, event.version());
        views.forEach(view -> view.apply(event));
        freshness.heard(event.service(), event.happenedAt());
    }
}
