package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.rule.ContractChecks;
import java.io.File;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Compares the versions of each contract as its compatibility mode demands. With released or releasedRevision, compares
 * new versions with the released ones, and reports released versions that have changed. Needs no network.
 */
@Mojo(name = "check", defaultPhase = LifecyclePhase.GENERATE_SOURCES, threadSafe = true)
public final class CheckMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** A folder or jar that contains the released contracts. */
    @Parameter(property = "contracts.released")
    private @Nullable File released;

    /** A git branch, tag or commit in which the folder contains the released contracts; excludes released. */
    @Parameter(property = "contracts.released-revision")
    private @Nullable String releasedRevision;

    /** Where the report is written, in JUnit's format. */
    @Parameter(defaultValue = "${project.build.directory}/contract-reports/TEST-check.xml", required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        if (released != null && releasedRevision != null) {
            throw new MojoExecutionException("Give released or releasedRevision, not both");
        }
        warning(released, releasedRevision).ifPresent(getLog()::warn);
        Path place = released == null ? null : released.toPath();
        Goal.judge(() -> ContractChecks.check(Goal.path(contracts), place, releasedRevision), report, getLog());
    }

    /** {@return what such a check misses; empty if the build says what is released} */
    static Optional<String> warning(@Nullable File released, @Nullable String releasedRevision) {
        return released == null && releasedRevision == null
                ? Optional.of(
                        "Contracts: the build does not say what is released (released or releasedRevision). Versions"
                                + " are compared with each other only: a change to a released version, or its removal,"
                                + " is not detected.")
                : Optional.empty();
    }
}
