package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.logging.Log;

/** What becomes of a report in a build: errors stop it, warnings are logged, a build server finds both in a file. */
final class Findings {

    private Findings() {}

    static void judge(Supplier<Report> check, Path file, Log log) throws MojoFailureException, MojoExecutionException {
        Report report = asked(check);
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, report.in(Report.Format.JUNIT));
        } catch (IOException e) {
            throw new MojoExecutionException("The report " + file + " cannot be written", e);
        }
        if (report.hasErrors()) {
            throw new MojoFailureException(
                    "The contracts of this service would break somebody:\n\n" + report.in(Report.Format.TEXT));
        }
        if (report.warnings() > 0) {
            log.warn(report.in(Report.Format.TEXT));
        } else {
            log.info("Contracts: " + report.in(Report.Format.TEXT).strip());
        }
    }

    private static Report asked(Supplier<Report> check) throws MojoExecutionException {
        try {
            return check.get();
        } catch (ContractsException e) {
            return ContractChecks.unreadable(e);
        } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        }
    }
}
