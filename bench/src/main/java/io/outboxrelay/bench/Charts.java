package io.outboxrelay.bench;

import io.outboxrelay.bench.BarChart.Bar;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is drawn of each command's raw data. */
final class Charts {

    private Charts() {}

    /** The chart of a file; empty if there is nothing to draw. */
    static Optional<BarChart> of(RawData data) {
        return switch (data.conditions().command()) {
            case "writers" -> Optional.of(writers(data));
            case "idle" -> Optional.of(idle(data));
            case "latency" -> Optional.of(latency(data));
            case "drain" -> Optional.of(rates("Draining a full outbox", List.of("queue", "contender"), data));
            case "gate" -> Optional.of(rates("The gate for schemas", List.of("contender"), data));
            case "consume" ->
                data.columns().contains("rate")
                        ? Optional.of(rates("Consuming a full queue", List.of("contender"), data))
                        : Optional.empty();
            case "backlog" -> Optional.of(backlog(data));
            case "sources" -> Optional.of(sources(data));
            default -> Optional.empty();
        };
    }

    private static BarChart writers(RawData data) {
        Map<String, WriterVariant> variants =
                Arrays.stream(WriterVariant.values()).collect(Collectors.toMap(WriterVariant::toString, one -> one));
        WriterRates rates = new WriterRates();
        data.rows().forEach(row -> rates.add(variants.get(row.text("variant")), row.number("rate")));
        List<Bar> bars = rates.ratios().entrySet().stream()
                .filter(ratio -> ratio.getKey() != ratio.getKey().reference())
                .map(ratio -> new Bar(
                        ratio.getKey() + " / " + ratio.getKey().reference(),
                        ratio.getValue(),
                        ratio.getKey().relay() != null))
                .toList();
        return new BarChart(
                "Transactions of a service that writes events",
                "rate divided by that of the reference in the same round; other colour: a relay runs",
                "%.2f",
                bars);
    }

    private static BarChart idle(RawData data) {
        Map<String, Spread> relay = data.spreads(List.of("wakeup"), "relay_percent");
        Map<String, Spread> database = data.spreads(List.of("wakeup"), "database_percent");
        List<Bar> bars = relay.keySet().stream()
                .flatMap(wakeup -> Stream.of(
                        new Bar("relay, wakeup " + wakeup, relay.get(wakeup), false),
                        new Bar("database, wakeup " + wakeup, database.get(wakeup), true)))
                .toList();
        return new BarChart("A source without events", "share of one core, percent", "%.2f", bars);
    }

    private static BarChart latency(RawData data) {
        Map<String, List<Double>> runs = data.numbers(List.of("rate", "wakeup", "round"), "milliseconds");
        Map<String, List<Latencies>> settings = runs.entrySet().stream()
                .collect(Collectors.groupingBy(
                        run -> run.getKey().replaceAll("(.*) (.*) .*", "$1/s, $2"),
                        TreeMap::new,
                        Collectors.mapping(
                                run -> Latencies.of(run.getValue().stream().mapToDouble(Double::doubleValue)),
                                Collectors.toList())));
        List<Bar> bars = settings.entrySet().stream()
                .flatMap(setting -> Stream.of(
                        new Bar(setting.getKey() + ", p50", Latencies.quantiles(setting.getValue(), 0.5), false),
                        new Bar(setting.getKey() + ", p99", Latencies.quantiles(setting.getValue(), 0.99), true)))
                .toList();
        return new BarChart("From the commit to a consumer", "milliseconds", "%.1f", bars);
    }

    private static BarChart backlog(RawData data) {
        List<Bar> bars = data.spreads(List.of("events", "dead_rows", "tenth"), "rate").entrySet().stream()
                .filter(rate -> rate.getKey().matches(".* (1|10)"))
                .map(rate -> {
                    String[] words = rate.getKey().split(" ");
                    boolean isLast = words[2].equals("10");
                    String dead = words[1].equals("0") ? "" : " behind " + words[1];
                    return new Bar(
                            words[0] + dead + (isLast ? ", last tenth" : ", first tenth"), rate.getValue(), isLast);
                })
                .toList();
        return new BarChart("Backlogs, and one behind dead rows", "events a second", "%,.0f", bars);
    }

    private static BarChart sources(RawData data) {
        List<Bar> bars = data.numbers(List.of("what"), "resident_mb").entrySet().stream()
                .filter(memory -> memory.getKey().startsWith("idle-"))
                .map(memory ->
                        new Bar(memory.getKey().replace("idle-", "sources: "), Spread.of(memory.getValue()), false))
                .toList();
        return new BarChart("Memory of a relay with idle sources", "resident memory, MB", "%.0f", bars);
    }

    private static BarChart rates(String title, List<String> by, RawData data) {
        List<Bar> bars = data.spreads(by, "rate").entrySet().stream()
                .map(rate -> new Bar(
                        rate.getKey(), rate.getValue(), !rate.getKey().matches(".*\\b(relay|outbox|with-gate)\\b.*")))
                .toList();
        return new BarChart(title, "events a second", "%,.0f", bars);
    }
}
