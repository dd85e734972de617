package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.rule.Check;
import io.outboxrelay.schemas.rule.ComparedVersion;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.rule.SchemaComparison;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = "Compares two schemas, each a file that stands by itself.")
final class CompareCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "OLD.avsc", description = "The old version.")
    private Path old = Path.of("");

    @Parameters(index = "1", paramLabel = "NEW.avsc", description = "The new version.")
    private Path now = Path.of("");

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            defaultValue = "FULL_TRANSITIVE",
            description = "What is promised: ${COMPLETION-CANDIDATES}. Default: FULL_TRANSITIVE.")
    private Compatibility mode = Compatibility.FULL_TRANSITIVE;

    @Mixin
    private final ReportOptions report = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        return report.print(Objects.requireNonNull(spec).commandLine(), this::compared);
    }

    private Report compared() {
        ComparedVersion before = version("old", old);
        ComparedVersion after = version("new", now);
        String name = "%s fits to %s (%s)".formatted(now, old, mode);
        return new Report(List.of(new Check(name, SchemaComparison.compare(before, after, mode))));
    }

    private static ComparedVersion version(String name, Path file) {
        try {
            return new ComparedVersion(name, file.toString(), new Schema.Parser().parse(Files.readString(file)));
        } catch (IOException e) {
            throw new UncheckedIOException("The schema " + file + " cannot be read", e);
        } catch (AvroRuntimeException e) {
            throw new IllegalArgumentException(file + " is not a schema: " + e.getMessage(), e);
        }
    }
}
