package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Lets contenders drain the same number of events in turns. */
record DrainTurns(List<Contender> contenders, DrainMeasurement measurement, Report report, PrintWriter out) {

    static final String[] COLUMNS = {"queue", "contender", "round", "events", "seconds", "rate", "others"};

    /**
     * Measures all contenders in each of several rounds.
     *
     * @return the median of each contender's rates, in the order of the contenders
     */
    List<Double> run(QueueKind kind, int rounds) throws Exception {
        List<List<Double>> rates = new ArrayList<>();
        contenders.forEach(contender -> rates.add(new ArrayList<>()));
        for (int round = 0; round < rounds; round++) {
            // The order changes with the round.
            for (int turn = 0; turn < contenders.size(); turn++) {
                int who = (round + turn) % contenders.size();
                Report.Stretch stretch = report.begin();
                Drain drain = measurement.run(contenders.get(who), kind);
                double others = stretch.end().others();
                rates.get(who).add(drain.rate());
                report.row(
                        kind,
                        drain.contender(),
                        round + 1,
                        drain.duringDrain(),
                        drain.drain().toNanos() / 1e9,
                        drain.rate(),
                        others);
                out.println(drain.describe());
            }
        }
        return rates.stream().map(values -> Spread.of(values).median()).toList();
    }
}
