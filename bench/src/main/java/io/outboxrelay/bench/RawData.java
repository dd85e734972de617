package io.outboxrelay.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A file that a {@link Report} wrote.
 *
 * @param conditions under which it was measured
 * @param columns names of the values
 * @param rows by the names of the columns
 */
record RawData(Conditions conditions, List<String> columns, List<Row> rows) {

    private static final String COMMENT = "# ";

    /**
     * A row of the file.
     *
     * @param values by the names of their columns
     */
    record Row(Map<String, String> values) {

        String text(String column) {
            return Objects.requireNonNull(values.get(column), column);
        }

        double number(String column) {
            return Double.parseDouble(text(column));
        }
    }

    static RawData read(Path file) {
        Map<String, String> conditions = new LinkedHashMap<>();
        List<String> columns = List.of();
        List<Row> rows = new ArrayList<>();
        for (String line : lines(file)) {
            if (line.startsWith(COMMENT)) {
                String[] condition = line.substring(COMMENT.length()).split(": ?", 2);
                conditions.put(condition[0], condition[1]);
            } else if (columns.isEmpty()) {
                columns = List.of(line.split(","));
            } else {
                rows.add(row(columns, line.split(",")));
            }
        }
        return new RawData(new Conditions(conditions), columns, rows);
    }

    /** The values of one column, by the words of others with a space between them, in the order of the file. */
    Map<String, List<Double>> numbers(List<String> by, String column) {
        return rows.stream()
                .collect(Collectors.groupingBy(
                        row -> by.stream().map(row::text).collect(Collectors.joining(" ")),
                        LinkedHashMap::new,
                        Collectors.mapping(row -> row.number(column), Collectors.toList())));
    }

    /** The same, summed up. */
    Map<String, Spread> spreads(List<String> by, String column) {
        Map<String, Spread> spreads = new TreeMap<>();
        numbers(by, column).forEach((words, values) -> spreads.put(words, Spread.of(values)));
        return spreads;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException("The raw data cannot be read: " + file, e);
        }
    }

    private static Row row(List<String> columns, String[] values) {
        Map<String, String> row = new LinkedHashMap<>();
        for (int column = 0; column < columns.size(); column++) {
            row.put(columns.get(column), values[column]);
        }
        return new Row(row);
    }
}
