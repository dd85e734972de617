package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What Linux says about a running process in {@code /proc/PID/status} (proc(5)); zeros where there is no such file.
 *
 * @param residentMegabytes its memory that is in RAM
 * @param threads how many it has
 */
record ProcessStatus(double residentMegabytes, long threads) {

    private static final double KILOBYTES_OF_A_MEGABYTE = 1024;

    static ProcessStatus of(long pid) throws IOException {
        Path file = Path.of("/proc", Long.toString(pid), "status");
        if (!Files.isReadable(file)) {
            return new ProcessStatus(0, 0);
        }
        List<String> lines = Files.readAllLines(file);
        return new ProcessStatus(number(lines, "VmRSS:") / KILOBYTES_OF_A_MEGABYTE, number(lines, "Threads:"));
    }

    private static long number(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }
}
