package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.exchange.ContractExchange;
import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Compares the versions of the contracts that a registry does not have with those that it has, and asks the registry as well.
 * Registers nothing. Bound to no phase: a build that needs no network stays one.
 */
@Mojo(name = "test-compatibility", threadSafe = true)
public final class TestCompatibilityMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** Only the contract of this subject; without it all. */
    @Parameter(property = "contracts.subject")
    private @Nullable String subject;

    /**
     * What has /subjects below it, such as https://registry:8080/apis/ccompat/v7; else the environment's
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL. Credentials come from the environment alone.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    /** Where a report in JUnit's form is written. */
    @Parameter(
            defaultValue = "${project.build.directory}/contract-reports/TEST-test-compatibility.xml",
            required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        new AskedRegistry(registry, getLog()).require(exchange -> {
            ContractExchange.Test test = exchange.test(AskedRegistry.contracts(contracts, subject));
            Findings.judge(test::report, Given.path(report), getLog());
            return test.accepted();
        });
    }
}
