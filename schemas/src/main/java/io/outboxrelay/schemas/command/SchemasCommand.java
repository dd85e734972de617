package io.outboxrelay.schemas.command;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.exchange.ContractExchange;
import io.outboxrelay.schemas.exchange.Progress;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.site.ContractSite;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The contracts' commands and their parent. */
@Command(
        name = "schemas",
        mixinStandardHelpOptions = true,
        description = "Checks and documents event contracts, and exchanges them with a schema registry.",
        footer = {"", "Exit status: 0 no errors, perhaps warnings, 1 errors, 2 wrong use."})
public final class SchemasCommand implements Callable<Integer> {

    private final Map<String, String> environment;
    private final UnaryOperator<String> printable;

    @Mixin
    private final Console console;

    private SchemasCommand(Map<String, String> environment, UnaryOperator<String> printable) {
        this.environment = environment;
        this.printable = printable;
        this.console = new Console(printable);
    }

    /**
     * The command with all its subcommands.
     *
     * @param environment may name a registry and contain credentials for it
     * @param printable makes a text of several lines safe for a terminal; registries choose what they answer
     * @return the command, to be added to the program's
     */
    public static CommandLine commandLine(Map<String, String> environment, UnaryOperator<String> printable) {
        return new SchemasCommand(environment, printable).withSubcommands();
    }

    private CommandLine withSubcommands() {
        return new CommandLine(this)
                .addSubcommand(new ValidateCommand())
                .addSubcommand(new CheckCommand())
                .addSubcommand(new CompareCommand())
                .addSubcommand(new DocsCommand())
                .addSubcommand(new TestCompatibilityCommand())
                .addSubcommand(new RegisterCommand())
                .addSubcommand(new DownloadCommand())
                .addSubcommand(new ListCommand());
    }

    @Override
    public Integer call() {
        throw console.wrongUse("Say what to do: " + console.subcommands() + ".", null);
    }

    @Command(
            name = "validate",
            mixinStandardHelpOptions = true,
            description = "Checks each contract on its own: syntax, names, references, documentation.")
    final class ValidateCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final ContractsParameter contracts = new ContractsParameter();

        @Mixin
        private final ReportOptions report = new ReportOptions();

        @Override
        public Integer call() {
            return report.print(console, () -> ContractChecks.validate(contracts.read()));
        }
    }

    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            description = {
                "Compares the versions of each contract according to its compatibility mode. With --released or"
                        + " --released-revision, compares new versions with the released ones, and reports released"
                        + " versions that have changed.",
                "Needs no network."
            })
    final class CheckCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final ContractsParameter contracts = new ContractsParameter();

        @ArgGroup
        private @Nullable Released released;

        @Mixin
        private final ReportOptions report = new ReportOptions();

        @Override
        public Integer call() {
            Released then = released == null ? new Released() : released;
            return report.print(console, () -> ContractChecks.check(contracts.place, then.place, then.revision));
        }
    }

    /** Where the released contracts are: in one of two kinds of places. */
    static final class Released {

        @Option(
                names = "--released",
                paramLabel = "PLACE",
                description = "Folder or jar that contains the released contracts.")
        private @Nullable Path place;

        @Option(
                names = "--released-revision",
                paramLabel = "REVISION",
                description = "Git branch, tag or commit in which the same folder contains the released contracts.")
        private @Nullable String revision;
    }

    @Command(
            name = "compare",
            mixinStandardHelpOptions = true,
            description = "Compares two self-contained schema files.")
    final class CompareCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Parameters(index = "0", paramLabel = "OLD.avsc", description = "The old version.")
        private Path old = Path.of("");

        @Parameters(index = "1", paramLabel = "NEW.avsc", description = "The new version.")
        private Path now = Path.of("");

        @Option(
                names = "--mode",
                paramLabel = "MODE",
                defaultValue = "FULL_TRANSITIVE",
                description = "Required compatibility: ${COMPLETION-CANDIDATES}. Default: FULL_TRANSITIVE.")
        private Compatibility mode = Compatibility.FULL_TRANSITIVE;

        @Mixin
        private final ReportOptions report = new ReportOptions();

        @Override
        public Integer call() {
            return report.print(console, () -> ContractChecks.compareFiles(old, now, mode));
        }
    }

    @Command(
            name = "docs",
            mixinStandardHelpOptions = true,
            description = "Writes a catalogue of all events as static pages, which need no server.")
    final class DocsCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final ContractsParameter contracts = new ContractsParameter();

        @Option(
                names = "--output",
                paramLabel = "FOLDER",
                defaultValue = "contracts-site",
                description = "Where to write the pages. Default: contracts-site.")
        private Path output = Path.of("contracts-site");

        @Override
        public Integer call() {
            return console.run(() -> {
                try {
                    console.done(ContractSite.write(contracts.read(), output).toString());
                    return 0;
                } catch (ContractsException e) {
                    console.print(ContractChecks.unreadable(e).in(Report.Format.TEXT));
                    return 1;
                }
            });
        }
    }

    @Command(
            name = "test-compatibility",
            mixinStandardHelpOptions = true,
            description = "Compares the contract versions that a registry lacks with those that it has, and also asks"
                    + " the registry whether they are compatible. Registers nothing.")
    final class TestCompatibilityCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final SubjectOptions chosen = new SubjectOptions();

        @Mixin
        private final RegistryOptions registry = new RegistryOptions(environment);

        @Mixin
        private final ReportOptions report = new ReportOptions();

        @Override
        public Integer call() {
            ContractExchange exchange = registry.exchange(console);
            AtomicBoolean accepted = new AtomicBoolean();
            int status = report.print(console, () -> {
                ContractExchange.Test test = exchange.test(chosen.contracts());
                accepted.set(test.accepted());
                return test.report();
            });
            return accepted.get() ? status : 1;
        }
    }

    @Command(
            name = "register",
            mixinStandardHelpOptions = true,
            description = "Registers every contract version that a registry lacks, the oldest first, and sets the"
                    + " compatibility of the subjects. Never changes a registered version.")
    final class RegisterCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final SubjectOptions chosen = new SubjectOptions();

        @Mixin
        private final RegistryOptions registry = new RegistryOptions(environment);

        @Override
        public Integer call() {
            return console.run(() -> registry.exchange(console).register(chosen.contracts()) ? 0 : 1);
        }
    }

    @Command(
            name = "download",
            mixinStandardHelpOptions = true,
            description = "Writes versions of subjects from a registry to SUBJECT/vN.avsc, each a complete schema."
                    + " Reports a file that already exists with another schema, and does not overwrite it.")
    final class DownloadCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Parameters(paramLabel = "SUBJECT", arity = "1..*", description = "Names of the subjects.")
        private List<String> subjects = List.of();

        @Option(names = "--version-number", paramLabel = "N", description = "Only this version. Default: all.")
        private @Nullable Integer version;

        @Option(
                names = "--into",
                paramLabel = "FOLDER",
                defaultValue = "contracts",
                description = "Folder for the subjects' folders. Default: contracts.")
        private Path folder = Path.of("contracts");

        @Mixin
        private final RegistryOptions registry = new RegistryOptions(environment);

        @Override
        public Integer call() {
            return console.run(() -> registry.exchange(console).download(subjects, version, folder) ? 0 : 1);
        }
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists the subjects of a registry with their versions, their compatibility, and the"
                    + " identity (a hash) of the newest version.")
    final class ListCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console(printable);

        @Mixin
        private final RegistryOptions registry = new RegistryOptions(environment);

        @Override
        public Integer call() {
            return console.run(() -> {
                registry.exchange(console).list();
                return 0;
            });
        }
    }

    /** Where the contracts are that a command works on. */
    static final class ContractsParameter {

        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "CONTRACTS",
                defaultValue = "contracts",
                description = "Folder or jar that contains a contracts.yaml. Default: contracts.")
        private Path place = Path.of("contracts");

        Contracts read() {
            return Contracts.read(place);
        }
    }

    /** One contract, or all that there are. */
    static final class SubjectOptions {

        @Mixin
        private final ContractsParameter all = new ContractsParameter();

        @Option(names = "--subject", paramLabel = "SUBJECT", description = "Only this subject. Default: all.")
        private @Nullable String only;

        List<Contract> contracts() {
            return all.read().chosen(only);
        }
    }

    /** In which form a command reports its findings, and the exit status that goes with them. */
    static final class ReportOptions {

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                defaultValue = "text",
                description = "text, json or junit. Default: text.")
        private Report.Format format = Report.Format.TEXT;

        int print(Console console, Supplier<Report> check) {
            return console.run(() -> {
                Report report = ContractChecks.report(check);
                console.print(report.in(format));
                return report.hasErrors() ? 1 : 0;
            });
        }
    }

    /**
     * Where a command answers, and how it ends. Results go to standard output, problems to standard error. The
     * annotation is there because picocli takes no mixin without one.
     */
    @Command
    static final class Console implements Progress {

        private final UnaryOperator<String> printable;

        @Spec(Spec.Target.MIXEE)
        private @Nullable CommandSpec spec;

        Console(UnaryOperator<String> printable) {
            this.printable = printable;
        }

        /**
         * Runs a command. A registry that refuses or does not answer, or contracts that cannot be read, make the exit
         * status 1; a missing place, an unknown revision or a file that is no schema is wrong use.
         */
        int run(IntSupplier action) {
            try {
                return action.getAsInt();
            } catch (RegistryException e) {
                problem(commandLine().getCommandSpec().root().name() + ": " + e.getMessage());
                return 1;
            } catch (ContractsException e) {
                problem(String.valueOf(e.getMessage()));
                return 1;
            } catch (IllegalArgumentException | UncheckedIOException e) {
                throw wrongUse(e.getMessage() + (e.getCause() == null ? "" : " (" + e.getCause() + ")") + ".", e);
            }
        }

        /** {@return what ends the command with status 2} */
        ParameterException wrongUse(String sentence, @Nullable RuntimeException cause) {
            return new ParameterException(commandLine(), sentence, cause);
        }

        /** {@return the names of the commands below this one} */
        String subcommands() {
            return String.join(", ", commandLine().getSubcommands().keySet());
        }

        /** Prints a result that ends its last line itself. */
        void print(String text) {
            PrintWriter out = commandLine().getOut();
            out.print(text);
            out.flush();
        }

        @Override
        public void done(String what) {
            PrintWriter out = commandLine().getOut();
            out.println(printable.apply(what));
            out.flush();
        }

        @Override
        public void problem(String what) {
            PrintWriter err = commandLine().getErr();
            err.println(printable.apply(what));
            err.flush();
        }

        private CommandLine commandLine() {
            return Objects.requireNonNull(spec).commandLine();
        }
    }
}
