package io.outboxrelay.relay.gate;

import io.outboxrelay.schemas.registry.RegistrySettings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Which schemas events may have.
 *
 * @param mode where registered versions are found
 * @param catalogue folder or jar with contracts; null for none
 * @param subject template of the subject of an event that names none, with types as they stand
 * @param registry the registry; null for none
 */
public record GateSettings(
        Mode mode,
        @Nullable Path catalogue,
        String subject,
        @Nullable RegistrySettings registry) {

    /** Every event passes. */
    public static final GateSettings OFF = new GateSettings(Mode.OFF, null, "{event_type}", null);

    /** Where registered versions are found. */
    public enum Mode {
        /** Nowhere: nothing is judged. */
        OFF,
        /** In a folder or jar of contracts. */
        CATALOGUE,
        /** In a schema registry. */
        REGISTRY
    }
}
