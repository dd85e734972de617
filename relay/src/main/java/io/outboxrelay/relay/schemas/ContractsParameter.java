package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contracts;
import java.nio.file.Path;
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
}
