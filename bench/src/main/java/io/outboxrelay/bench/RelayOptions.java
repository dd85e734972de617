package io.outboxrelay.bench;

import io.outboxrelay.testservers.DatabaseKind;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of a measurement that say which relay it runs. */
final class RelayOptions {

    /** As in the image. */
    private static final String JAVA_OPTIONS =
            "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms16m -XX:MaxRAMPercentage=50";

    @Option(names = "--relay-jar", paramLabel = "FILE", description = RelayJar.DESCRIPTION)
    private @Nullable Path jar;

    @Option(
            names = "--relay-java-options",
            paramLabel = "OPTIONS",
            defaultValue = JAVA_OPTIONS,
            description = "Options for the relay's JVM. Default: ${DEFAULT-VALUE}, as in the container image.")
    private String javaOptions = JAVA_OPTIONS;

    @Option(
            names = "--relay-set",
            paramLabel = "KEY=VALUE",
            description = "A key of the relay's configuration, such as poll.min=1ms. Repeat it for more.")
    private List<String> settings = List.of();

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    /**
     * Finds the relay, before anything else is started.
     *
     * @return the named jar, else the one that was built together with this one
     * @throws ParameterException when there is none
     */
    Path find() throws URISyntaxException {
        return RelayJar.find(jar, command);
    }

    /**
     * A relay of the outbox of the measurement, with default settings except for those that were named.
     *
     * @param keys as of {@link BenchRelay.Source}
     */
    BenchRelay relay(Servers servers, Path folder, String keys) throws IOException, URISyntaxException {
        return relay(
                servers, folder, List.of(new BenchRelay.Source("bench", servers.jdbcUrl(), BenchOutbox.SCHEMA, keys)));
    }

    /** The same with certain sources. */
    BenchRelay relay(Servers servers, Path folder, List<BenchRelay.Source> sources)
            throws IOException, URISyntaxException {
        return new BenchRelay(new BenchRelay.Program(find(), javaOptions, settings), servers, folder, sources);
    }

    /** The values of {@code wakeup} that the relay knows for a database. */
    static List<String> wakeups(DatabaseKind kind) {
        return kind == DatabaseKind.POSTGRESQL ? List.of("notify", "none") : List.of("none");
    }

    /** A relay for each value of {@code wakeup}, by that value. */
    Map<String, BenchRelay> byWakeup(Collection<String> wakeups, Servers servers, Path folder)
            throws IOException, URISyntaxException {
        Map<String, BenchRelay> relays = new LinkedHashMap<>();
        for (String wakeup : wakeups) {
            relays.put(wakeup, relay(servers, folder.resolve(wakeup), "    wakeup: " + wakeup + "\n"));
        }
        return relays;
    }
}
