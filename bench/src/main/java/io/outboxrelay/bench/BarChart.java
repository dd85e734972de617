package io.outboxrelay.bench;

import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Lying bars with whiskers from the least to the greatest value, as SVG for light and dark pages.
 *
 * @param title what is shown
 * @param unit of the values
 * @param format of a value, such as {@code %.2f}
 * @param bars from top to bottom
 */
record BarChart(String title, String unit, String format, List<Bar> bars) {

    private static final int WIDTH = 820;
    private static final int LEFT = 200;
    private static final int RIGHT = 720;
    private static final int TOP = 44;
    private static final int ROW = 26;
    private static final int TICKS = 5;
    private static final int SMALL_LINE = 15;
    private static final Pattern LINE = Pattern.compile(".{1,125}(?: |$)|\\S{125}");
    private static final String STYLE = """
            text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 16px; font-weight: 600 }
            .small { font-size: 11px } .grid { stroke: #d0d7de } .whisker { stroke: #1f2328 } .page { fill: #ffffff }
            .bar { fill: #54aeff } .other { fill: #fd8c73 }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 } .grid { stroke: #30363d } .whisker { stroke: #e6edf3 } .page { fill: #0d1117 }
            .bar { fill: #1f6feb } .other { fill: #da3633 } }
            """;

    /**
     * One of them.
     *
     * @param name beside it
     * @param value its length is the median
     * @param isOther whether it has another colour
     */
    record Bar(String name, Spread value, boolean isOther) {}

    /** The whole file, with the conditions below the chart. */
    String svg(Conditions conditions) {
        StringBuilder svg = new StringBuilder();
        double top = ceiling(
                bars.stream().mapToDouble(bar -> bar.value().max()).max().orElse(1));
        int bottom = TOP + ROW * bars.size();
        text(svg, "title", 16, 26, title);
        for (int tick = 0; tick <= TICKS; tick++) {
            double value = top * tick / TICKS;
            double x = x(value, top);
            line(svg, "grid", x, TOP, x, bottom);
            text(
                    svg,
                    "small",
                    x - 8,
                    bottom + SMALL_LINE,
                    String.format(Locale.ROOT, top < TICKS ? "%.2f" : "%,.0f", value));
        }
        for (int row = 0; row < bars.size(); row++) {
            bar(svg, bars.get(row), TOP + ROW * row, top);
        }
        text(svg, "", LEFT, bottom + 34, unit);
        int y = bottom + 56;
        for (String condition : conditions.lines()) {
            for (String line :
                    LINE.matcher(condition).results().map(MatchResult::group).toList()) {
                text(svg, "small", 16, y, line.strip());
                y += SMALL_LINE;
            }
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" width="%1$d" height="%2$d" role="img">
                <style>
                %3$s</style>
                <rect class="page" width="%1$d" height="%2$d"/>
                %4$s</svg>
                """.formatted(WIDTH, y, STYLE, svg);
    }

    private void bar(StringBuilder svg, Bar bar, int y, double top) {
        Spread value = bar.value();
        double middle = y + ROW / 2.0;
        text(svg, "", 16, middle + 4, bar.name());
        svg.append(
                """
                <rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>
                """.formatted(bar.isOther() ? "other" : "bar", LEFT, y + 5, x(value.median(), top) - LEFT, ROW - 10));
        line(svg, "whisker", x(value.min(), top), middle, x(value.max(), top), middle);
        text(svg, "small", x(value.max(), top) + 6, middle + 4, String.format(Locale.ROOT, format, value.median()));
    }

    private static void line(StringBuilder svg, String kind, double x1, double y1, double x2, double y2) {
        svg.append(String.format(
                Locale.ROOT,
                "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                kind,
                x1,
                y1,
                x2,
                y2));
    }

    private static void text(StringBuilder svg, String kind, double x, double y, String text) {
        svg.append(String.format(
                Locale.ROOT,
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                kind,
                x,
                y,
                text.replace("&", "&amp;").replace("<", "&lt;")));
    }

    private static double x(double value, double top) {
        return LEFT + (RIGHT - LEFT) * value / top;
    }

    /** The next of 1, 2, 5, 10, 20 and so on. */
    private static double ceiling(double value) {
        double power = Math.pow(10, Math.floor(Math.log10(Math.max(value, 1e-3))));
        for (int step : new int[] {1, 2, 5}) {
            if (step * power >= value) {
                return step * power;
            }
        }
        return 10 * power;
    }
}
