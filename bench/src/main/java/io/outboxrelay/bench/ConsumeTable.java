package io.outboxrelay.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** The rates of all runs, contender by contender, and what follows from them. */
final class ConsumeTable {

    private static final String NOT_MEASURED = "-";

    private final Map<ConsumeContender, List<ConsumeRun>> runs = new EnumMap<>(ConsumeContender.class);

    void add(ConsumeRun run) {
        runs.computeIfAbsent(run.contender(), contender -> new ArrayList<>()).add(run);
    }

    /**
     * A line for each contender with median, slowest and fastest rate, and its median divided by others; then the
     * ratios of this project's consumer with its default settings.
     */
    List<String> results() {
        String heading = String.format(
                Locale.ROOT,
                "%-18s %10s %10s %10s %12s %12s %12s %12s",
                "events a second",
                "median",
                "min",
                "max",
                "out of order",
                "/ outbox-1x1",
                "/ loop-100",
                "/ batch form");
        return Stream.of(Stream.of(heading), runs.keySet().stream().map(this::line), Stream.of(verdict()))
                .flatMap(lines -> lines)
                .toList();
    }

    private String verdict() {
        return "consume ratio one-by-one=%s loop=%s spring-batch=%s out_of_order=%d"
                .formatted(
                        ratio(ConsumeContender.OUTBOX, oneByOne()),
                        ratio(ConsumeContender.OUTBOX, loop()),
                        ratio(ConsumeContender.OUTBOX, springBatch()),
                        oursOutOfOrder());
    }

    /** How many effects this project's consumers had out of order, whatever their settings. */
    long oursOutOfOrder() {
        return runs.keySet().stream()
                .filter(ConsumeContender::isOurs)
                .mapToLong(this::outOfOrder)
                .sum();
    }

    private String line(ConsumeContender contender) {
        Spread rates = rates(contender);
        return String.format(
                Locale.ROOT,
                "%-18s %,10.0f %,10.0f %,10.0f %,12d %12s %12s %12s",
                contender,
                rates.median(),
                rates.min(),
                rates.max(),
                outOfOrder(contender),
                ratio(contender, oneByOne()),
                ratio(contender, loop()),
                ratio(contender, springBatch()));
    }

    private OptionalDouble oneByOne() {
        return median(ConsumeContender.OUTBOX_1_1);
    }

    private OptionalDouble loop() {
        return median(ConsumeContender.LOOP_100);
    }

    /** The faster one, although several consumers of one queue keep no order. */
    private OptionalDouble springBatch() {
        return Stream.of(ConsumeContender.SPRING_BATCH_1, ConsumeContender.SPRING_BATCH_8)
                .map(this::median)
                .flatMapToDouble(OptionalDouble::stream)
                .max();
    }

    private String ratio(ConsumeContender contender, OptionalDouble other) {
        OptionalDouble own = median(contender);
        return own.isPresent() && other.isPresent()
                ? String.format(Locale.ROOT, "%.2f", own.getAsDouble() / other.getAsDouble())
                : NOT_MEASURED;
    }

    private OptionalDouble median(ConsumeContender contender) {
        return runs.containsKey(contender) ? OptionalDouble.of(rates(contender).median()) : OptionalDouble.empty();
    }

    private Spread rates(ConsumeContender contender) {
        return Spread.of(runs(contender).map(ConsumeRun::rate).toList());
    }

    private long outOfOrder(ConsumeContender contender) {
        return runs(contender).mapToLong(ConsumeRun::outOfOrder).sum();
    }

    private Stream<ConsumeRun> runs(ConsumeContender contender) {
        return Objects.requireNonNull(runs.get(contender)).stream();
    }
}
