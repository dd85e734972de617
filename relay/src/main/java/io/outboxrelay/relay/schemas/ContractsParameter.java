package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Which contracts a command is about. */
final class ContractsParameter {

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "CONTRACTS",
            defaultValue = "contracts",
            description = "Folder or jar with a contracts.yaml. Default: contracts.")
    private Path place = Path.of("contracts");

    Path place() {
        return place;
    }

    Contracts read() {
        return Contracts.read(place);
    }

    /** The contracts of one subject, or all. */
    static List<Contract> chosen(Contracts contracts, @Nullable String subject) {
        if (subject == null) {
            return List.copyOf(contracts.all());
        }
        return List.of(contracts
                .bySubject(subject)
                .orElseThrow(() -> new IllegalArgumentException("The contracts have no subject " + subject)));
    }

    /** Tells of contracts that cannot be read; a place that is not there is wrong use. */
    static int checked(CommandLine command, IntSupplier task) {
        try {
            return task.getAsInt();
        } catch (ContractsException e) {
            command.getErr().println(e.getMessage());
            command.getErr().flush();
            return 1;
        } catch (IllegalArgumentException | UncheckedIOException e) {
            throw new ParameterException(command, e.getMessage() + ".", e);
        }
    }
}
