package io.outboxrelay.bench;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Finds the relay that is to be run. */
final class RelayJar {

    static final String DESCRIPTION = "The relay's jar. Default: relay/target/outbox-relay.jar of this project.";

    private RelayJar() {}

    /**
     * The named jar, else the one that was built together with this one.
     *
     * @throws ParameterException when there is none
     */
    static Path find(@Nullable Path named, @Nullable CommandSpec command) throws URISyntaxException {
        Path jar = named == null ? besideThisJar() : named;
        if (Files.isReadable(jar)) {
            return jar;
        }
        String problem = "There is no relay at " + jar + ": build it with ./mvnw package, or pass --relay-jar";
        if (command == null) {
            throw new IllegalStateException(problem);
        }
        throw new ParameterException(command.commandLine(), problem);
    }

    private static Path besideThisJar() throws URISyntaxException {
        Path jar = Path.of(RelayJar.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        return jar.resolve("../../../relay/target/outbox-relay.jar").normalize();
    }
}
