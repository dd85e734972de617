package io.outboxrelay.bench;

/**
 * One answer of a {@code /metrics} endpoint.
 *
 * @param text in the text format of Prometheus
 */
record Metrics(String text) {

    /** Adds up all samples of a name, whatever their labels; 0 when there are none. */
    double sum(String name) {
        return text.lines()
                .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** The average of a timer or a distribution; not a number when nothing was measured. */
    double average(String name) {
        return sum(name + "_sum") / sum(name + "_count");
    }
}
