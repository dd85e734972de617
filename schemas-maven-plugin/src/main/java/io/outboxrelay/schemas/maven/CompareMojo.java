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

/** Compares two self-contained schema files. */
@Mojo(name = "compare", requiresProject = false, threadSafe = true)
public final class CompareMojo extends AbstractMojo {

    /** The old version. */
    @Parameter(property = "contracts.old", required = true)
    private @Nullable File old;

    /** The new version. */
    @Parameter(property = "contracts.new", required = true)
    private @Nullable File now;

    /** The required compatibility. */
    @Parameter(property = "contracts.mode", defaultValue = "FULL_TRANSITIVE", required = true)
    private @Nullable Compatibility mode;

    /** Where the report is written, in JUnit's format. */
    @Parameter(defaultValue = "${project.build.directory}/contract-reports/TEST-compare.xml", required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Goal.judge(
                () -> ContractChecks.compareFiles(Goal.path(old), Goal.path(now), Objects.requireNonNull(mode)),
                report,
                getLog());
    }
}
