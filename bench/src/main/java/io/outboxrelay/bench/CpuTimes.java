package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How much processor time the processes of this machine have used, from {@code /proc} (proc(5)); nothing where there is
 * none.
 *
 * @param processes those that are there, by process id
 * @param own ids of this process and its descendants
 * @param machine seconds of everything, also of processes that have ended
 * @param stolen seconds that other guests of the same host have taken from this one
 */
record CpuTimes(Map<Long, Used> processes, Set<Long> own, double machine, double stolen) {

    private static final Path PROC = Path.of("/proc");
    private static final double TICKS_PER_SECOND = 100;
    private static final int USER_TIME = 11;
    private static final int USER_TIME_OF_ENDED = 13;
    private static final int STOLEN_TIME = 8;

    /** The program of PostgreSQL. */
    static final String POSTGRES = "postgres";

    /** The program of the broker. */
    static final String ERLANG = "beam.smp";

    /**
     * One process.
     *
     * @param name of its program
     * @param seconds that it has used
     * @param ended seconds that its children had used that have ended
     */
    record Used(String name, double seconds, double ended) {}

    /** Whether this system tells them. */
    static boolean areKnown() {
        return Files.exists(PROC.resolve("stat"));
    }

    /** What was used until now. */
    static CpuTimes now() {
        Map<Long, Used> processes = new HashMap<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path folder : folders) {
                add(processes, folder);
            }
            return new CpuTimes(processes, family(), machineSeconds(1, 2, 3, 6, 7), machineSeconds(STOLEN_TIME));
        } catch (IOException e) {
            return new CpuTimes(Map.of(), Set.of(), 0, 0);
        }
    }

    /**
     * The share of the machine that was used since an earlier moment by what is no part of the measurement: neither
     * this process and its descendants, nor a server of the measurement that is none of them, but has the name of one.
     *
     * @param earlier the moment
     * @param seconds that have passed
     * @param servers names of the programs that serve the measurement
     * @return from 0 to 1
     */
    double others(CpuTimes earlier, double seconds, Set<String> servers) {
        double ours = total(own) - earlier.total(earlier.own);
        for (String server : servers) {
            if (Collections.disjoint(own, named(server))) {
                ours += total(named(server)) - earlier.total(earlier.named(server));
            }
        }
        double all = machine + stolen - earlier.machine - earlier.stolen;
        return Math.max(0, all - ours) / (seconds * Runtime.getRuntime().availableProcessors());
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
        double published = used(earlier, pid);
        double postgres = used(earlier, POSTGRES);
        double broker = used(earlier, ERLANG);
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

    /** Seconds that a process has used since an earlier moment. */
    double used(CpuTimes earlier, long pid) {
        Used now = processes.get(pid);
        Used before = earlier.processes.get(pid);
        return now == null ? 0 : now.seconds - (before == null ? 0 : before.seconds);
    }

    /**
     * Seconds that the servers of a name have used since an earlier moment: those that this program started; where it
     * started none of the kind, all that the machine runs.
     */
    double used(CpuTimes earlier, String name) {
        Set<Long> all = named(name);
        Set<Long> ours = all.stream().filter(own::contains).collect(Collectors.toSet());
        return (ours.isEmpty() ? all : ours)
                .stream().mapToDouble(pid -> used(earlier, pid)).sum();
    }

    private Set<Long> named(String name) {
        return processes.entrySet().stream()
                .filter(process -> process.getValue().name.equals(name))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    /** Seconds of these processes and of their children that have ended. */
    private double total(Set<Long> pids) {
        return pids.stream()
                .map(processes::get)
                .filter(Objects::nonNull)
                .mapToDouble(process -> process.seconds + process.ended)
                .sum();
    }

    private static void add(Map<Long, Used> processes, Path folder) {
        try {
            String stat = Files.readString(folder.resolve("stat"));
            int end = stat.lastIndexOf(')');
            String[] fields = stat.substring(end + 2).split(" ", USER_TIME_OF_ENDED + 3);
            processes.put(
                    Long.parseLong(folder.getFileName().toString()),
                    new Used(
                            stat.substring(stat.indexOf('(') + 1, end),
                            seconds(fields, USER_TIME),
                            seconds(fields, USER_TIME_OF_ENDED)));
        } catch (IOException e) {
            // It has ended in between.
        }
    }

    /** User time and the system time after it. */
    private static double seconds(String[] fields, int first) {
        return (Long.parseLong(fields[first]) + Long.parseLong(fields[first + 1])) / TICKS_PER_SECOND;
    }

    private static Set<Long> family() {
        return Stream.concat(
                        Stream.of(ProcessHandle.current()),
                        ProcessHandle.current().descendants())
                .map(ProcessHandle::pid)
                .collect(Collectors.toSet());
    }

    /** 1 is user, 2 nice, 3 system, 4 idle, 5 waiting for disks, 6 and 7 interrupts, 8 stolen. */
    private static double machineSeconds(int... fields) throws IOException {
        String[] cpu = Files.readString(PROC.resolve("stat"))
                .lines()
                .findFirst()
                .orElse("")
                .split(" +");
        return IntStream.of(fields)
                        .mapToLong(field -> Long.parseLong(cpu[field]))
                        .sum()
                / TICKS_PER_SECOND;
    }
}
