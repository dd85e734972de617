package io.outboxrelay.bench;

import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Prints how much of this process's heap is in use after a full collection, each time that another tenth of the events
 * is done.
 */
final class HeapLog {

    private static final int TENTHS = 10;
    private static final Pattern LINE = Pattern.compile("(?m)^heap (\\d+) bytes (\\d+)$");

    private final Effects effects;
    private final long events;
    private final PrintStream out;

    HeapLog(Effects effects, long events, PrintStream out) {
        this.effects = effects;
        this.events = events;
        this.out = out;
    }

    /** Returns after the last tenth. */
    void run() throws InterruptedException {
        for (int tenth = 1; tenth <= TENTHS; tenth++) {
            while (effects.count() < events * tenth / TENTHS) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            System.gc();
            out.println("heap " + tenth + " bytes " + usedAfterCollection());
        }
    }

    /** As of the last collection: what the consumer has allocated since does not count. */
    private static long usedAfterCollection() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP && pool.getCollectionUsage() != null)
                .mapToLong(HeapLog::used)
                .sum();
    }

    private static long used(MemoryPoolMXBean pool) {
        return pool.getCollectionUsage().getUsed();
    }

    /** The bytes in use, tenth by tenth, as far as they are in the output of such a process. */
    static List<Long> read(String output) {
        Matcher lines = LINE.matcher(output);
        return lines.results().map(line -> Long.valueOf(line.group(2))).collect(Collectors.toList());
    }

    static boolean isComplete(String output) {
        return read(output).size() == TENTHS;
    }
}
