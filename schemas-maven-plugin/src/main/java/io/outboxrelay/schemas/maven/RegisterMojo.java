package io.outboxrelay.schemas.maven;

import java.io.File;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Registers every version of the contracts that a registry does not have, the oldest first, and sets the compatibility of
 * their subjects. What is there already stays as it is. Bound to no phase: where a release is made, it is called.
 */
@Mojo(name = "register", threadSafe = true)
public final class RegisterMojo extends AbstractMojo {

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

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        // All of them: what one contract is refused says nothing of the others.
        new AskedRegistry(registry, getLog())
                .require(exchange -> AskedRegistry.contracts(contracts, subject).stream()
                        .map(exchange::register)
                        .reduce(true, Boolean::logicalAnd));
    }
}
