package io.outboxrelay.samples.storefront;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** How events travel, over HTTP: for the page. */
@RestController
@Tag(name = "Publishing", description = "Where events are, composed from what services and relays say at this moment")
class PublishingApi {

    private final Publishing publishing;

    PublishingApi(Publishing publishing) {
        this.publishing = publishing;
    }

    @GetMapping("/publishing")
    @Operation(summary = "Show the relays, and the outbox of each service with the owners of its lanes")
    Publishing.Overview overview() {
        return publishing.overview();
    }

    @GetMapping("/orders/{orderId}/events")
    @Operation(summary = "Show where the events of an order are, also those that have not arrived here")
    Publishing.OrderEvents events(@PathVariable UUID orderId) {
        return publishing.eventsOf(orderId.toString());
    }
}
