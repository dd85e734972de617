package io.outboxrelay.schemas.contract;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is agreed about one kind of event.
 *
 * @param subject the name that a registry knows it by, and its folder
 * @param eventType the event's type in the outbox and on the wire
 * @param owner who to ask
 * @param compatibility what a new version promises
 * @param deprecated the day from which nobody should use it any more; null while it is in use
 * @param versions all that there are, the oldest first; never empty
 */
public record Contract(
        String subject,
        String eventType,
        String owner,
        Compatibility compatibility,
        @Nullable LocalDate deprecated,
        List<ContractVersion> versions) {

    public Contract {
        versions = List.copyOf(versions);
        if (versions.isEmpty()) {
            throw new IllegalArgumentException("The contract " + subject + " has no version");
        }
    }

    /** {@return the version that classes are generated from} */
    public ContractVersion newest() {
        return versions.get(versions.size() - 1);
    }

    /**
     * Finds a version.
     *
     * @param number 1 for the first
     * @return the version, empty if there is none
     */
    public Optional<ContractVersion> version(int number) {
        return number < 1 || number > versions.size() ? Optional.empty() : Optional.of(versions.get(number - 1));
    }
}
