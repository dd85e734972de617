package io.outboxrelay.schemas.maven;

import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/** Lists the subjects of a registry: versions, compatibility and the identity of the newest. */
@Mojo(name = "list", requiresProject = false, threadSafe = true)
public final class ListMojo extends AbstractMojo {

    /**
     * What has /subjects below it, such as https://registry:8080/apis/ccompat/v7; else the environment's
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL. Credentials come from the environment alone.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        new AskedRegistry(registry, getLog()).require(exchange -> {
            exchange.list();
            return true;
        });
    }
}
