package io.outboxrelay.samples.chassis;

import io.outboxrelay.samples.chassis.OwnEvents.Lane;
import io.outboxrelay.samples.chassis.OwnEvents.OwnEvent;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Where the service's events are, over HTTP: for people who watch them travel. It shows no payload. */
@RestController
@RequestMapping("/outbox")
@Tag(name = "Outbox", description = "Where the events of this service are on their way to the broker")
class OutboxApi {

    private final OwnEvents events;

    OutboxApi(OwnEvents events) {
        this.events = events;
    }

    /**
     * What has not been published, and who publishes.
     *
     * @param waiting events that are written and not published, including failed ones
     * @param oldestSeconds age of the oldest of them; null if there is none
     * @param lanes all lanes of the outbox
     */
    record Overview(long waiting, @Nullable Double oldestSeconds, List<Lane> lanes) {}

    record Events(List<OwnEvent> events) {}

    @GetMapping
    @Operation(summary = "Count the events that are not yet published, and show which relay owns which lane")
    Overview overview() {
        OwnEvents.Backlog backlog = events.backlog();
        return new Overview(backlog.events(), backlog.oldestSeconds(), events.lanes());
    }

    @GetMapping("/events")
    @Operation(summary = "Show where the events of an aggregate are, the latest 50, the oldest of these first")
    Events events(
            @RequestParam("aggregate_type") String aggregateType, @RequestParam("aggregate_id") String aggregateId) {
        return new Events(events.of(aggregateType, aggregateId));
    }
}
