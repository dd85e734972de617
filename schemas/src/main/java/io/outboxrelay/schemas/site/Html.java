package io.outboxrelay.schemas.site;

import java.util.List;
import java.util.stream.Collectors;

/** A piece of a page that is safe to put in. Text becomes one by {@link #text} alone, which escapes it. */
record Html(String markup) {

    static Html text(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            switch (each) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(each);
            }
        }
        return new Html(escaped.toString());
    }

    static Html code(String text) {
        return new Html("<code>" + text(text).markup + "</code>");
    }

    /** An element around pieces. */
    static Html element(String name, Html... content) {
        return new Html("<" + name + ">" + all(List.of(content)).markup + "</" + name + ">\n");
    }

    /** A sentence that nobody should overlook. */
    static Html notice(String words) {
        return new Html("<p class=\"notice\">" + text(words).markup + "</p>\n");
    }

    /** Names and what they are, each a list of the two. */
    static Html pairs(List<List<Html>> pairs) {
        return element(
                "dl",
                all(pairs.stream()
                        .map(pair -> all(List.of(element("dt", pair.get(0)), element("dd", pair.get(1)))))
                        .toList()));
    }

    /** A link to a page beside this one. */
    static Html link(String page, String words) {
        return new Html("<a href=\"" + text(page).markup + "\">" + text(words).markup + "</a>");
    }

    static Html all(List<Html> pieces) {
        return new Html(pieces.stream().map(Html::markup).collect(Collectors.joining()));
    }

    /** A table with a caption; the first cell of a row names the row. */
    static Html table(String caption, List<String> columns, List<List<Html>> rows) {
        Html head = all(columns.stream()
                .map(column -> new Html("<th scope=\"col\">" + text(column).markup + "</th>"))
                .toList());
        Html body = all(rows.stream().map(Html::row).toList());
        return new Html("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" + text(caption).markup
                + "\">\n<table>\n<caption>" + text(caption).markup + "</caption>\n<thead><tr>" + head.markup
                + "</tr></thead>\n<tbody>\n" + body.markup + "</tbody>\n</table>\n</div>\n");
    }

    private static Html row(List<Html> cells) {
        StringBuilder row = new StringBuilder("<tr><th scope=\"row\">" + cells.get(0).markup + "</th>");
        cells.subList(1, cells.size())
                .forEach(cell -> row.append("<td>").append(cell.markup).append("</td>"));
        return new Html(row.append("</tr>\n").toString());
    }
}
