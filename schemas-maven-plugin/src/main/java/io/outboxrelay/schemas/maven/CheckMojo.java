package io.outboxrelay.schemas.maven;

import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Compares the versions of each contract, as its compatibility demands: with each other or, where it is said what is
 * released, new versions with those before, and released ones with what they were. Needs no network.
 */
@Mojo(name = "check", defaultPhase = LifecyclePhase.GENERATE_SOURCES, threadSafe = true)
public final class CheckMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** A folder or jar with the contracts that are released. */
    @Parameter(property = "contracts.released")
    private @Nullable File released;

    /** A branch, tag or commit of git in which the folder is as it was released; not together with released. */
    @Parameter(property = "contracts.released-revision")
    private @Nullable String releasedRevision;

    /** Where a report in JUnit's form is written. */
    @Parameter(defaultValue = "${project.build.directory}/contract-reports/TEST-check.xml", required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        if (released != null && releasedRevision != null) {
            throw new MojoExecutionException("Give released or releasedRevision, not both");
        }
        Released known = new Released(released, releasedRevision);
        known.warning().ifPresent(getLog()::warn);
        Findings.judge(() -> known.compare(Given.path(contracts)), Given.path(report), getLog());
    }
}
