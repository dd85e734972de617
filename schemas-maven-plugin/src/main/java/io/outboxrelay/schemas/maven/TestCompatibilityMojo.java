package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.exchange.ContractExchange;
import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Compares the contract versions that a registry does not have with those that it has, and asks the registry too.
 * Registers nothing. Bound to no phase, so that your build does not need the network unless you call it.
 */
@Mojo(name = "test-compatibility", threadSafe = true)
public final class TestCompatibilityMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** Only the contract of this subject. Default: all. */
    @Parameter(property = "contracts.subject")
    private @Nullable String subject;

    /**
     * Base URL of the registry API, without /subjects, for example https://registry:8080/apis/ccompat/v7. Default:
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL from the environment. Credentials come from the environment only.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    /** Where the report is written, in JUnit's format. */
    @Parameter(
            defaultValue = "${project.build.directory}/contract-reports/TEST-test-compatibility.xml",
            required = true)
    private @Nullable File report;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Goal.exchange(registry, getLog(), exchange -> {
            ContractExchange.Test test =
                    exchange.test(Contracts.read(Goal.path(contracts)).chosen(subject));
            Goal.judge(test::report, report, getLog());
            return test.accepted();
        });
    }
}
