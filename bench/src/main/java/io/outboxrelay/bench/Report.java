package io.outboxrelay.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a measurement leaves: its raw data in a file, if a folder was named, and its results, unless other programs used
 * more than a fifth of the machine while it measured.
 *
 * <p>The file is CSV. Lines that begin with {@code #} have the conditions, such as {@code # database: PostgreSQL 15}.
 */
final class Report implements AutoCloseable {

    private static final double MOST_FOR_OTHERS = 0.2;

    private final Servers servers;
    private final boolean busyMachine;
    private final PrintWriter out;
    private final @Nullable PrintWriter raw;
    private double usedByOthers;
    private double measuredSeconds;

    /**
     * Creates the file.
     *
     * @param folder for the file; null for none
     * @param busyMachine whether results are printed in any case
     * @param out for people
     * @param columns of the raw data
     */
    Report(
            Conditions conditions,
            @Nullable Path folder,
            boolean busyMachine,
            Servers servers,
            PrintWriter out,
            String... columns)
            throws IOException {
        this.servers = servers;
        this.busyMachine = busyMachine;
        this.out = out;
        this.raw = folder == null ? null : open(folder, conditions);
        conditions.lines().forEach(out::println);
        row((Object[]) columns);
    }

    /** A stretch of time in which something is measured. */
    final class Stretch {

        private final CpuTimes cpu = CpuTimes.now();
        private final long began = System.nanoTime();

        private Stretch() {}

        /**
         * Ends it, for once.
         *
         * @return what the processes have used since the beginning
         */
        CpuShares end() {
            double seconds = (System.nanoTime() - began) / 1e9;
            CpuTimes now = CpuTimes.now();
            double others = now.others(cpu, seconds, servers.programs());
            usedByOthers += others * seconds;
            measuredSeconds += seconds;
            return new CpuShares(cpu, now, seconds, others);
        }
    }

    /**
     * The processor time of a stretch.
     *
     * @param before at its beginning
     * @param after at its end
     * @param seconds that it took
     * @param others share of the machine that other programs used
     */
    record CpuShares(CpuTimes before, CpuTimes after, double seconds, double others) {}

    /** Begins a stretch of time that counts. */
    Stretch begin() {
        return new Stretch();
    }

    /** Writes a row of raw data, one value for each column; none with a comma in it. */
    void row(Object... values) {
        if (raw != null) {
            raw.println(Arrays.stream(values).map(Report::text).collect(Collectors.joining(",")));
        }
    }

    /**
     * Prints the results, or says why there are none. The raw data says how busy the machine was.
     *
     * @param results lines for people and scripts
     * @return the exit status of the command
     */
    int finish(List<String> results) {
        double others = measuredSeconds == 0 ? 0 : usedByOthers / measuredSeconds;
        if (raw != null) {
            raw.println(Conditions.comment(Conditions.OTHERS, busy(others)));
        }
        return finish(results, others, busyMachine, out);
    }

    static int finish(List<String> results, double others, boolean busyMachine, PrintWriter out) {
        String busy = busy(others);
        boolean tooBusy = others > MOST_FOR_OTHERS;
        if (tooBusy && !busyMachine) {
            out.printf(
                    Locale.ROOT,
                    "no results: %s, more than %.0f %%; --busy-machine prints them nevertheless%n",
                    busy,
                    100 * MOST_FOR_OTHERS);
            return 1;
        }
        out.println(tooBusy ? "BUSY MACHINE: " + busy : busy);
        results.forEach(out::println);
        return 0;
    }

    private static String busy(double others) {
        return CpuTimes.areKnown()
                ? String.format(Locale.ROOT, "other programs used %.0f %% of the machine", 100 * others)
                : "how busy the machine was is not known on this system";
    }

    @Override
    public void close() {
        if (raw != null) {
            raw.close();
        }
    }

    private PrintWriter open(Path folder, Conditions conditions) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(
                "%s-%s.csv".formatted(conditions.slug(), conditions.date().replaceAll("[-:]", "")));
        out.println("raw data: " + file);
        PrintWriter writer = new PrintWriter(Files.newBufferedWriter(file));
        conditions.values().forEach((name, value) -> writer.println(Conditions.comment(name, value)));
        return writer;
    }

    private static String text(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.4f", number) : value.toString();
    }
}
