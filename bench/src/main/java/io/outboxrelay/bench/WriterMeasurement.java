package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * Runs one variant once.
 *
 * @param relays by their {@code wakeup}
 * @param writers connections that write at the same time
 * @param warmUpSeconds before that which is measured
 * @param seconds that are measured
 */
record WriterMeasurement(
        Servers servers,
        BenchOutbox outbox,
        WriterTables tables,
        Map<String, BenchRelay> relays,
        Report report,
        int writers,
        double warmUpSeconds,
        double seconds) {

    static final String[] COLUMNS = {"variant", "round", "transactions", "seconds", "rate", "others"};

    /** Transactions a second, with empty tables at the beginning, and a relay of their own if the variant has one. */
    double rate(WriterVariant variant, int round) throws IOException, SQLException, InterruptedException {
        tables.clear();
        outbox.reset(variant.wakesRelay());
        String wakeup = variant.relay();
        if (wakeup == null) {
            return measure(variant, round);
        }
        BenchRelay relay = Objects.requireNonNull(relays.get(wakeup));
        try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.QUORUM);
                JavaProcess process = relay.startReady()) {
            double rate = measure(variant, round);
            queue.awaitMessages();
            relay.stop(process);
            return rate;
        }
    }

    private double measure(WriterVariant variant, int round) throws InterruptedException {
        try (Writers running = new Writers(tables, variant, writers)) {
            sleep(warmUpSeconds);
            Report.Stretch stretch = report.begin();
            long before = running.committed();
            sleep(seconds);
            long transactions = running.committed() - before;
            Report.CpuShares cpu = stretch.end();
            double rate = transactions / cpu.seconds();
            report.row(variant, round, transactions, cpu.seconds(), rate, cpu.others());
            return rate;
        }
    }

    private static void sleep(double seconds) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(Math.round(seconds * 1e9));
    }
}
