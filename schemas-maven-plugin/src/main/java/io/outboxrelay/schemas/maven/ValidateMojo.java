package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.rule.ContractChecks;
import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/** Checks each contract on its own: syntax, names, references, documentation. */
@Mojo(name = "validate", defaultPhase = LifecyclePhase.GENERATE_SOURCES, threadSafe = true)
public final class ValidateMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** Where the report is written, in JUnit's format. */
    @Parameter(defaultValue = "${project.build.directory}/contract-reports/TEST-validate.xml", required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Goal.judge(() -> ContractChecks.validate(Contracts.read(Goal.path(contracts))), report, getLog());
    }
}
