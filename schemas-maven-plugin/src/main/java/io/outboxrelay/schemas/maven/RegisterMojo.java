package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contracts;
import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Registers every contract version that a registry does not have, the oldest first, and sets the compatibility of the
 * subjects. Never changes a registered version. Bound to no phase: call it where you release.
 */
@Mojo(name = "register", threadSafe = true)
public final class RegisterMojo extends AbstractMojo {

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

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Goal.exchange(
                registry,
                getLog(),
                exchange ->
                        exchange.register(Contracts.read(Goal.path(contracts)).chosen(subject)));
    }
}
