package io.outboxrelay.schemas.maven;

import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Lists the subjects of a registry with their versions, their compatibility, and the identity of the newest version.
 */
@Mojo(name = "list", requiresProject = false, threadSafe = true)
public final class ListMojo extends AbstractMojo {

    /**
     * Base URL of the registry API, without /subjects, for example https://registry:8080/apis/ccompat/v7. Default:
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL from the environment. Credentials come from the environment only.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Goal.exchange(registry, getLog(), exchange -> {
            exchange.list();
            return true;
        });
    }
}
