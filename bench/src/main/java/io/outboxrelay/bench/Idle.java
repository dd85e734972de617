package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of time without events.
 *
 * @param seconds that it took
 * @param relayPercent share of a core that the relay used; 0 without one
 * @param databasePercent share of a core that the database server used
 * @param transactions of the database in each second
 * @param residentMegabytes memory of the relay at the end; 0 without one
 * @param others share of the machine that other programs used
 */
record Idle(
        double seconds,
        double relayPercent,
        double databasePercent,
        double transactions,
        double residentMegabytes,
        double others) {

    static final String[] COLUMNS = {
        "wakeup",
        "round",
        "seconds",
        "relay_percent",
        "database_percent",
        "transactions_per_second",
        "resident_mb",
        "others"
    };

    /**
     * What a stretch has shown.
     *
     * @param databaseProgram name of the database server's program
     * @param transactions all of the database in that time
     * @param relay null if none runs
     */
    static Idle of(Report.CpuShares cpu, String databaseProgram, long transactions, @Nullable JavaProcess relay)
            throws IOException {
        double seconds = cpu.seconds();
        return new Idle(
                seconds,
                relay == null ? 0 : 100 * cpu.after().used(cpu.before(), relay.pid()) / seconds,
                100 * cpu.after().used(cpu.before(), databaseProgram) / seconds,
                transactions / seconds,
                relay == null ? 0 : ProcessStatus.of(relay.pid()).residentMegabytes(),
                cpu.others());
    }

    void row(Report report, String wakeup, int round) {
        report.row(wakeup, round, seconds, relayPercent, databasePercent, transactions, residentMegabytes, others);
    }

    /** The line of all runs with one value of {@code wakeup}. */
    static String line(String wakeup, List<Idle> runs) {
        return "idle wakeup=%s relay_percent=%s database_percent=%s transactions_per_second=%s resident_mb=%s"
                .formatted(
                        wakeup,
                        spread(runs, Idle::relayPercent).text("%.2f"),
                        spread(runs, Idle::databasePercent).text("%.2f"),
                        spread(runs, Idle::transactions).text("%.1f"),
                        spread(runs, Idle::residentMegabytes).text("%.0f"));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "relay %.2f %% and database %.2f %% of a core, %.1f transactions/s, %.0f MB",
                relayPercent,
                databasePercent,
                transactions,
                residentMegabytes);
    }

    private static Spread spread(List<Idle> runs, ToDoubleFunction<Idle> value) {
        return Spread.of(runs.stream().mapToDouble(value).boxed().toList());
    }
}
