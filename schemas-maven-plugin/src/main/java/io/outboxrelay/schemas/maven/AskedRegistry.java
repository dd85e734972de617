package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.exchange.ContractExchange;
import io.outboxrelay.schemas.exchange.Progress;
import io.outboxrelay.schemas.registry.RegistryAccess;
import io.outboxrelay.schemas.registry.RegistryException;
import java.io.File;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.logging.Log;
import org.jspecify.annotations.Nullable;

/**
 * The registry that a goal was told of.
 *
 * @param url its address; null for that of the environment
 * @param log hears what happens
 */
record AskedRegistry(@Nullable String url, Log log) implements Progress {

    /** Something that is done with a registry. */
    interface Task {

        /** Returns whether all is well. */
        boolean done(ContractExchange exchange) throws MojoExecutionException, MojoFailureException;
    }

    /** Does something with the registry; what it refuses, or its absence, stops the build. */
    void require(Task task) throws MojoExecutionException, MojoFailureException {
        try {
            RegistryAccess access = new RegistryAccess(url, null, null, null, null);
            if (!task.done(new ContractExchange(access.registry(System.getenv()), this))) {
                throw new MojoFailureException("The contracts and the registry do not agree; see above");
            }
        } catch (ContractsException | RegistryException e) {
            throw new MojoFailureException(e.getMessage(), e);
        } catch (IllegalArgumentException | UncheckedIOException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        }
    }

    /** The contracts of a folder: that of one subject, or all. */
    static List<Contract> contracts(@Nullable File folder, @Nullable String subject) {
        Path place = Given.path(folder);
        Contracts read = Contracts.read(place);
        return subject == null
                ? List.copyOf(read.all())
                : List.of(read.bySubject(subject)
                        .orElseThrow(() -> new IllegalArgumentException(
                                "The contracts in " + place + " have no subject " + subject)));
    }

    @Override
    public void done(String what) {
        log.info(what);
    }

    @Override
    public void problem(String what) {
        log.error(what);
    }
}
