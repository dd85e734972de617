package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Draws charts from the raw data of other commands. */
@Command(
        name = "charts",
        mixinStandardHelpOptions = true,
        description = {
            "Draws charts as SVG from the raw data that other commands wrote with --output.",
            "A chart is named after its command and the versions of the servers; of several files the newest counts.",
            "Measurements that did not come to their end are left out."
        },
        sortOptions = false)
final class ChartsCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FOLDER", description = "The folder with the raw data.")
    private @Nullable Path from;

    @Option(
            names = "--to",
            paramLabel = "FOLDER",
            defaultValue = "docs/performance",
            description = "Where the charts are written. Default: ${DEFAULT-VALUE}")
    private Path to = Path.of("docs/performance");

    @Override
    public Integer call() throws IOException {
        Files.createDirectories(to);
        for (RawData data : oldestFirst()) {
            Path file = to.resolve(data.conditions().slug() + ".svg");
            List<BarChart> charts = Charts.of(data).stream().toList();
            for (BarChart chart : charts) {
                Files.writeString(file, chart.svg(data.conditions()));
                System.out.println(file + " of " + data.conditions().date());
            }
        }
        return 0;
    }

    private List<RawData> oldestFirst() throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            return files.filter(file -> file.toString().endsWith(".csv"))
                    .map(RawData::read)
                    .filter(data -> data.conditions().hasEnded())
                    .sorted(Comparator.comparing(data -> data.conditions().date()))
                    .toList();
        }
    }
}
