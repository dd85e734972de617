package io.outboxrelay.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** The rates of all variants, round by round. */
final class WriterRates {

    private final Map<WriterVariant, List<Double>> rates = new EnumMap<>(WriterVariant.class);

    /** Adds the rate of the next round, in transactions a second. */
    void add(WriterVariant variant, double rate) {
        rates.computeIfAbsent(variant, first -> new ArrayList<>()).add(rate);
    }

    /** The rates of each variant divided by those of its reference in the same rounds. */
    Map<WriterVariant, Spread> ratios() {
        Map<WriterVariant, Spread> ratios = new EnumMap<>(WriterVariant.class);
        for (WriterVariant variant : rates.keySet()) {
            List<Double> own = of(variant);
            List<Double> reference = of(variant.reference());
            ratios.put(
                    variant,
                    Spread.of(IntStream.range(0, own.size())
                            .mapToObj(round -> own.get(round) / reference.get(round))
                            .toList()));
        }
        return ratios;
    }

    /** A line for each variant, with its ratio and its rate. */
    List<String> lines() {
        return ratios().entrySet().stream()
                .map(ratio -> "writers ratio %s=%s beside %s, transactions a second: %s"
                        .formatted(
                                ratio.getKey(),
                                ratio.getValue().text("%.2f"),
                                ratio.getKey().reference(),
                                Spread.of(of(ratio.getKey())).text("%.0f")))
                .toList();
    }

    private List<Double> of(WriterVariant variant) {
        return Objects.requireNonNull(rates.get(variant));
    }
}
