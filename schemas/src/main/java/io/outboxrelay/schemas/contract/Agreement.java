package io.outboxrelay.schemas.contract;

import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/** What {@code contracts.yaml} says about one subject; without an event type it is the name of the newest record. */
record Agreement(
        String subject,
        @Nullable String eventType,
        String owner,
        Compatibility compatibility,
        @Nullable LocalDate deprecated,
        String origin) {}
