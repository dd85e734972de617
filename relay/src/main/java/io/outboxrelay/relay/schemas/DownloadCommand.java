package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.registry.RegisteredSchema;
import io.outboxrelay.schemas.registry.Registry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaFormatter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "download",
        mixinStandardHelpOptions = true,
        description = "Writes versions of subjects from a registry into SUBJECT/vN.avsc, each a schema that stands by"
                + " itself. A file that is there with another schema is a finding, and stays as it is.")
final class DownloadCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SUBJECT", arity = "1..*", description = "Which subjects.")
    private List<String> subjects = List.of();

    @Option(names = "--version-number", paramLabel = "N", description = "Only this version. Default: all.")
    private @Nullable Integer version;

    @Option(
            names = "--into",
            paramLabel = "FOLDER",
            defaultValue = "contracts",
            description = "Where the subjects' folders are made. Default: contracts.")
    private Path folder = Path.of("contracts");

    @Mixin
    private final RegistryOptions registry;

    @Spec
    private @Nullable CommandSpec spec;

    DownloadCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return registry.with(
                command,
                asked -> subjects.stream()
                        .mapToInt(subject -> download(asked, subject, command))
                        .max()
                        .orElse(0));
    }

    private int download(Registry asked, String subject, CommandLine command) {
        if (!subject.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw new ParameterException(command, "The subject '" + subject + "' cannot be the name of a folder.");
        }
        List<RegisteredSchema> versions =
                version == null ? asked.allVersions(subject) : List.of(asked.version(subject, version));
        if (versions.isEmpty()) {
            command.getErr().println("outbox-relay: the registry " + asked + " has no subject " + subject);
            return 1;
        }
        return versions.stream().mapToInt(each -> write(each, command)).max().orElse(0);
    }

    private int write(RegisteredSchema registered, CommandLine command) {
        Path file = folder.resolve(registered.subject()).resolve("v" + registered.version() + ".avsc");
        try {
            if (Files.exists(file)) {
                boolean same = identity(file).equals(registered.identity().sha256());
                (same ? command.getOut() : command.getErr())
                        .println(file
                                + (same ? " is there already" : " is there with another schema than " + registered));
                return same ? 0 : 1;
            }
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Files.writeString(file, SchemaFormatter.format("json/pretty", registered.schema()) + "\n");
            command.getOut().println(file + " is " + registered);
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written", e);
        } finally {
            command.getOut().flush();
            command.getErr().flush();
        }
    }

    private static String identity(Path file) throws IOException {
        try {
            return SchemaIdentity.of(new Schema.Parser().parse(Files.readString(file)))
                    .sha256();
        } catch (AvroRuntimeException e) {
            return "not a schema that stands by itself";
        }
    }
}
