package io.outboxrelay.relay.operations;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.source.SourceSettings;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The status of all sources, to be shown. The names in the JSON are stable. */
public final class StatusReport {

    private final List<SourceStatus> sources;

    StatusReport(List<SourceStatus> sources) {
        this.sources = sources;
    }

    /**
     * Looks into the database of each source.
     *
     * @param sources the databases; one that does not answer is shown as such
     * @return what they show, in the same order
     */
    public static StatusReport read(List<SourceSettings> sources) {
        return new StatusReport(
                sources.stream().map(source -> new StatusReader(source).read()).toList());
    }

    /** {@return whether every source answered and has the tables that the relay needs} */
    public boolean complete() {
        return sources.stream().allMatch(source -> source.problem() == null);
    }

    /** {@return the report as JSON on several lines} */
    public String toJson() {
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        ArrayNode list = report.putArray("sources");
        sources.forEach(source -> add(list.addObject(), source));
        return report.toPrettyString();
    }

    private static void add(ObjectNode json, SourceStatus source) {
        json.put("name", source.name());
        json.put("reachable", source.reachable());
        json.put("problem", source.problem());
        json.put("schema_version", source.schemaVersion());
        json.put("backlog_events", source.backlogEvents());
        json.put("lag_seconds", rounded(source.overview().lagSeconds()));
        ArrayNode lanes = json.putArray("lanes");
        for (Overview.Lane lane : source.overview().lanes()) {
            lanes.addObject()
                    .put("lane", lane.lane())
                    .put("owner", lane.owner())
                    .put("epoch", lane.epoch())
                    .put("lease_seconds", rounded(lane.leaseSeconds()))
                    .put("backlog_events", lane.backlogEvents());
        }
        ArrayNode instances = json.putArray("instances");
        source.overview().instances().forEach(instances::add);
        ObjectNode failures = json.putObject("failures");
        source.overview().failures().forEach((state, events) -> failures.put(state, events));
        ArrayNode pauses = json.putArray("pauses");
        for (Overview.Pause pause : source.overview().pauses()) {
            pauses.addObject()
                    .put("aggregate_type", pause.aggregateType())
                    .put("event_type", pause.eventType())
                    .put("paused_by", pause.pausedBy())
                    .put("paused_seconds", rounded(pause.pausedSeconds()))
                    .put("reason", pause.reason());
        }
    }

    /** {@return the report as a table for people} */
    public String toTable() {
        StringBuilder table = new StringBuilder();
        for (SourceStatus source : sources) {
            table.append("source ").append(source.name()).append('\n');
            if (source.problem() != null) {
                table.append("  ").append(source.problem()).append('\n');
            } else {
                addTable(table, source);
            }
        }
        return table.toString();
    }

    private static void addTable(StringBuilder table, SourceStatus source) {
        table.append(String.format(
                Locale.ROOT,
                "  schema version %d, backlog %d events, lag %.1f s, relays alive: %s%n",
                source.schemaVersion(),
                source.backlogEvents(),
                source.overview().lagSeconds(),
                source.overview().instances().isEmpty()
                        ? "none"
                        : Printable.line(String.join(", ", source.overview().instances()))));
        addTrouble(table, source);
        int width = source.overview().lanes().stream()
                .mapToInt(lane -> String.valueOf(lane.owner()).length())
                .max()
                .orElse(0);
        String format = "  %4s  %-" + Math.max(width, 5) + "s  %8s  %7s  %8s%n";
        table.append(String.format(Locale.ROOT, format, "lane", "owner", "epoch", "lease s", "backlog"));
        for (Overview.Lane lane : source.overview().lanes()) {
            table.append(String.format(
                    Locale.ROOT,
                    format,
                    lane.lane(),
                    lane.owner() == null ? "-" : Printable.line(lane.owner()),
                    lane.epoch(),
                    String.format(Locale.ROOT, "%.1f", lane.leaseSeconds()),
                    lane.backlogEvents()));
        }
    }

    /** What a person has to see first; nothing when all is well. */
    private static void addTrouble(StringBuilder table, SourceStatus source) {
        if (!source.overview().failures().isEmpty()) {
            String counts = source.overview().failures().entrySet().stream()
                    .map(state -> state.getValue() + " " + state.getKey())
                    .collect(Collectors.joining(", "));
            table.append("  failures: ").append(counts).append(", see failures list\n");
        }
        for (Overview.Pause pause : source.overview().pauses()) {
            table.append(String.format(
                    Locale.ROOT,
                    "  paused: aggregate type %s, event type %s, by %s %.0f s ago: %s%n",
                    Printable.line(pause.aggregateType()),
                    Printable.line(pause.eventType()),
                    Printable.line(pause.pausedBy()),
                    pause.pausedSeconds(),
                    Printable.line(pause.reason())));
        }
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 1000) / 1000.0;
    }
}
