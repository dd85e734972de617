package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import java.io.File;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a build knows of what is released.
 *
 * @param contracts a folder or jar; null if not given
 * @param revision a revision of git; null if not given
 */
record Released(@Nullable File contracts, @Nullable String revision) {

    Report compare(Path folder) {
        Contracts now = Contracts.read(folder);
        if (contracts != null) {
            return ContractChecks.compareWithReleased(now, Contracts.read(contracts.toPath()));
        }
        return revision == null
                ? ContractChecks.compareVersions(now)
                : ContractChecks.compareWithReleased(now, Contracts.readRevision(folder, revision));
    }

    /** What people should know of a check that knows nothing. */
    Optional<String> warning() {
        return contracts == null && revision == null
                ? Optional.of(
                        "Contracts: the build does not say what is released (released or releasedRevision). Versions are"
                                + " compared with each other; that a released one was changed or removed is not noticed.")
                : Optional.empty();
    }
}
