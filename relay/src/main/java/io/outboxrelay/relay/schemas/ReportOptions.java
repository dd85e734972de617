package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.rule.Report.Format;
import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** How a command says what it found, and the exit status that goes with it. */
final class ReportOptions {

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text, json or junit. Default: text.")
    private Format format = Format.TEXT;

    /** Prints what a check finds; contracts that cannot be read are findings, a place that is not there is wrong use. */
    int print(CommandLine command, Supplier<Report> check) {
        Report report = asked(command, check);
        PrintWriter out = command.getOut();
        out.print(report.in(format));
        out.flush();
        return report.hasErrors() ? 1 : 0;
    }

    private static Report asked(CommandLine command, Supplier<Report> check) {
        try {
            return WrongUse.unless(command, check);
        } catch (ContractsException e) {
            return ContractChecks.unreadable(e);
        }
    }
}
