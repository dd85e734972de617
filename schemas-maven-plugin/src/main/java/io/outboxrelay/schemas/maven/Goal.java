package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.exchange.ContractExchange;
import io.outboxrelay.schemas.exchange.Progress;
import io.outboxrelay.schemas.registry.RegistryAccess;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.logging.Log;
import org.jspecify.annotations.Nullable;

/** What the goals have in common: their parameters, and what findings and refusals do to a build. */
final class Goal {

    private Goal() {}

    /** {@return a parameter, which Maven sets after construction} */
    static Path path(@Nullable File file) {
        return Objects.requireNonNull(file, "Maven sets what is required").toPath();
    }

    /** Errors stop the build, warnings are logged, a build server finds both in a file. */
    static void judge(Supplier<Report> check, @Nullable File file, Log log)
            throws MojoFailureException, MojoExecutionException {
        Report report = report(check);
        Path written = path(file);
        try {
            Files.createDirectories(written.getParent());
            Files.writeString(written, report.in(Report.Format.JUNIT));
        } catch (IOException e) {
            throw new MojoExecutionException("The report " + written + " cannot be written", e);
        }
        if (report.hasErrors()) {
            throw new MojoFailureException(
                    "The contracts of this service would break a consumer:\n\n" + report.in(Report.Format.TEXT));
        }
        if (report.warnings() > 0) {
            log.warn(report.in(Report.Format.TEXT));
        } else {
            log.info("Contracts: " + report.in(Report.Format.TEXT).strip());
        }
    }

    private static Report report(Supplier<Report> check) throws MojoExecutionException {
        try {
            return ContractChecks.report(check);
        } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        }
    }

    /** Something that is done with a registry. */
    interface Exchange {

        /** Returns whether all is well. */
        boolean done(ContractExchange exchange) throws MojoExecutionException, MojoFailureException;
    }

    /**
     * Does something with a registry. If the registry refuses it or does not answer, the build stops.
     *
     * @param url its address; null for that of the environment
     */
    static void exchange(@Nullable String url, Log log, Exchange task)
            throws MojoExecutionException, MojoFailureException {
        try {
            RegistryAccess access = new RegistryAccess(url, null, null, null, null);
            if (!task.done(new ContractExchange(access.registry(System.getenv()), new Logged(log)))) {
                throw new MojoFailureException("The contracts and the registry do not agree; see above");
            }
        } catch (ContractsException | RegistryException e) {
            throw new MojoFailureException(e.getMessage(), e);
        } catch (IllegalArgumentException | UncheckedIOException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        }
    }

    private record Logged(Log log) implements Progress {

        @Override
        public void done(String what) {
            log.info(what);
        }

        @Override
        public void problem(String what) {
            log.error(what);
        }
    }
}
