package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.rule.ContractChecks;
import java.io.File;
import java.util.Objects;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/** Compares two schemas, each a file that stands by itself. */
@Mojo(name = "compare", requiresProject = false, threadSafe = true)
public final class CompareMojo extends AbstractMojo {

    /** The old version. */
    @Parameter(property = "contracts.old", required = true)
    private @Nullable File old;

    /** The new version. */
    @Parameter(property = "contracts.new", required = true)
    private @Nullable File now;

    /** What is promised. */
    @Parameter(property = "contracts.mode", defaultValue = "FULL_TRANSITIVE", required = true)
    private @Nullable Compatibility mode;

    /** Where a report in JUnit's form is written. */
    @Parameter(defaultValue = "${project.build.directory}/contract-reports/TEST-compare.xml", required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Findings.judge(
                () -> ContractChecks.compareFiles(Given.path(old), Given.path(now), Objects.requireNonNull(mode)),
                Given.path(report),
                getLog());
    }
}
