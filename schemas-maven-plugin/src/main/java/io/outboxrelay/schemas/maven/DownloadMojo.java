package io.outboxrelay.schemas.maven;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Writes versions of subjects from a registry to SUBJECT/vN.avsc, each a complete schema. A file that already exists
 * with another schema stays as it is, and the build stops.
 */
@Mojo(name = "download", requiresProject = false, threadSafe = true)
public final class DownloadMojo extends AbstractMojo {

    /** Names of the subjects. */
    @Parameter(property = "contracts.subjects", required = true)
    private @Nullable List<String> subjects;

    /** Only this version. Default: all. */
    @Parameter(property = "contracts.version")
    private @Nullable Integer version;

    /** Folder for the subjects' folders. */
    @Parameter(property = "contracts.into", defaultValue = "contracts", required = true)
    private @Nullable File into;

    /**
     * Base URL of the registry API, without /subjects, for example https://registry:8080/apis/ccompat/v7. Default:
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL from the environment. Credentials come from the environment only.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Path folder = Goal.path(into);
        Goal.exchange(
                registry, getLog(), exchange -> exchange.download(Objects.requireNonNull(subjects), version, folder));
    }
}
