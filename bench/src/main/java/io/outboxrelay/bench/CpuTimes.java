package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How much processor time the processes of this machine have used, from {@code /proc} (proc(5)); nothing where there is
 * none.
 *
 * @param processes those that are there, by process id
 * @param machine seconds of everything, also of processes that have ended
 */
record CpuTimes(Map<Long, Used> processes, double machine) {

    private static final Path PROC = Path.of("/proc");
    private static final double TICKS_PER_SECOND = 100;
    private static final int USER_TIME = 11;
    private static final String POSTGRES = "postgres";
    private static final String ERLANG = "beam.smp";

    /**
     * One process.
     *
     * @param name of its program
     * @param seconds that it has used
     */
    record Used(String name, double seconds) {}

    /** What was used until now. */
    static CpuTimes now() {
        Map<Long, Used> processes = new HashMap<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path folder : folders) {
                add(processes, folder);
            }
            return new CpuTimes(processes, machineSeconds());
        } catch (IOException e) {
            return new CpuTimes(Map.of(), 0);
        }
    }

    /**
     * Describes what was used since an earlier moment, as shares in what the machine could have given, and for each
     * event.
     *
     * @param earlier the moment
     * @param publisher name of the contender
     * @param pid its process
     * @param seconds that have passed
     * @param events that were published
     */
    String since(CpuTimes earlier, String publisher, long pid, double seconds, long events) {
        Set<Long> own =
                ProcessHandle.current().descendants().map(ProcessHandle::pid).collect(Collectors.toSet());
        double published = used(earlier, pid);
        double postgres = used(earlier, POSTGRES, own);
        double broker = used(earlier, ERLANG, own);
        double all = machine - earlier.machine;
        int processors = Runtime.getRuntime().availableProcessors();
        double percent = seconds * processors / 100;
        return String.format(
                Locale.ROOT,
                "%d processors: %s %.0f %%, postgresql %.0f %%, broker %.0f %%, all else %.0f %%, idle %.0f %%;"
                        + " microseconds an event: %2$s %.0f, postgresql %.0f, broker %.0f",
                processors,
                publisher,
                published / percent,
                postgres / percent,
                broker / percent,
                (all - published - postgres - broker) / percent,
                100 - all / percent,
                1e6 * published / events,
                1e6 * postgres / events,
                1e6 * broker / events);
    }

    private double used(CpuTimes earlier, long pid) {
        Used now = processes.get(pid);
        Used before = earlier.processes.get(pid);
        return now == null ? 0 : now.seconds - (before == null ? 0 : before.seconds);
    }

    /** Of the servers that this program started; where it started none of the kind, of all that the machine runs. */
    private double used(CpuTimes earlier, String name, Set<Long> own) {
        Set<Long> all = processes.entrySet().stream()
                .filter(process -> process.getValue().name.equals(name))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
        Set<Long> ours = all.stream().filter(own::contains).collect(Collectors.toSet());
        return (ours.isEmpty() ? all : ours)
                .stream().mapToDouble(pid -> used(earlier, pid)).sum();
    }

    private static void add(Map<Long, Used> processes, Path folder) {
        try {
            String stat = Files.readString(folder.resolve("stat"));
            int end = stat.lastIndexOf(')');
            String[] fields = stat.substring(end + 2).split(" ", USER_TIME + 3);
            long ticks = Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[USER_TIME + 1]);
            processes.put(
                    Long.parseLong(folder.getFileName().toString()),
                    new Used(stat.substring(stat.indexOf('(') + 1, end), ticks / TICKS_PER_SECOND));
        } catch (IOException e) {
            // It has ended in between.
        }
    }

    /** User, nice, system, interrupts; not idle, not waiting for disks, not stolen. */
    private static double machineSeconds() throws IOException {
        String[] cpu = Files.readString(PROC.resolve("stat"))
                .lines()
                .findFirst()
                .orElse("")
                .split(" +");
        long ticks = 0;
        for (int field : new int[] {1, 2, 3, 6, 7}) {
            ticks += Long.parseLong(cpu[field]);
        }
        return ticks / TICKS_PER_SECOND;
    }
}
