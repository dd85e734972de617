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
 * Writes versions of subjects from a registry into SUBJECT/vN.avsc, each a schema that stands by itself. A file that is there
 * with another schema stays as it is, and the build stops.
 */
@Mojo(name = "download", requiresProject = false, threadSafe = true)
public final class DownloadMojo extends AbstractMojo {

    /** Which subjects. */
    @Parameter(property = "contracts.subjects", required = true)
    private @Nullable List<String> subjects;

    /** Only this version; without it all. */
    @Parameter(property = "contracts.version")
    private @Nullable Integer version;

    /** Where the subjects' folders are made. */
    @Parameter(property = "contracts.into", defaultValue = "contracts", required = true)
    private @Nullable File into;

    /**
     * What has /subjects below it, such as https://registry:8080/apis/ccompat/v7; else the environment's
     * OUTBOX_RELAY_SCHEMAS_REGISTRY_URL. Credentials come from the environment alone.
     */
    @Parameter(property = "contracts.registry")
    private @Nullable String registry;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Path folder = Given.path(into);
        new AskedRegistry(registry, getLog())
                .require(exchange -> Objects.requireNonNull(subjects).stream()
                        .map(each -> exchange.download(each, version, folder))
                        .reduce(true, Boolean::logicalAnd));
    }
}
