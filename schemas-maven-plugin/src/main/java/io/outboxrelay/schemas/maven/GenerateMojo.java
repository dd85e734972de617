package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.apache.maven.model.Resource;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.jspecify.annotations.Nullable;

/**
 * Generates the classes of the newest version of each contract, and puts all versions into the jar under contracts/,
 * where the service and its consumers find them.
 */
@Mojo(name = "generate", defaultPhase = LifecyclePhase.GENERATE_SOURCES, threadSafe = true)
public final class GenerateMojo extends AbstractMojo {

    /** The folder with the contracts.yaml. */
    @Parameter(property = "contracts.folder", defaultValue = "${project.basedir}/contracts", required = true)
    private @Nullable File contracts;

    /** Where the classes are written; of what is there, only what this goal has written is deleted. */
    @Parameter(defaultValue = "${project.build.directory}/generated-sources/contracts", required = true)
    private @Nullable File sources;

    @Parameter(defaultValue = "${project}", readonly = true, required = true)
    private @Nullable MavenProject project;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        Path folder = Goal.path(contracts);
        Path target = Goal.path(sources);
        try {
            List<Path> written = new GeneratedClasses(Contracts.read(folder)).write(target);
            getLog().info("Contracts: " + written.size() + " classes in " + target);
        } catch (ContractsException | GeneratedClasses.Conflict | OwnFiles.NotOurs e) {
            throw new MojoFailureException(e.getMessage(), e);
        } catch (IOException | UncheckedIOException e) {
            throw new MojoExecutionException("The classes cannot be generated: " + e.getMessage(), e);
        }
        MavenProject building = Objects.requireNonNull(project);
        building.addCompileSourceRoot(target.toString());
        building.addResource(inJar(folder));
    }

    private static Resource inJar(Path folder) {
        Resource resource = new Resource();
        resource.setDirectory(folder.toString());
        resource.setTargetPath("contracts");
        resource.setFiltering(false);
        resource.addInclude("contracts.yaml");
        resource.addInclude("**/*.avsc");
        return resource;
    }
}
