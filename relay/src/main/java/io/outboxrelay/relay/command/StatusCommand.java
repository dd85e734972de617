package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows backlog, lag, lanes and lane owners of every source, read from its database.",
        footer = {"", "Exit status: 0 all sources answered, 1 a source did not answer, 2 wrong use or configuration."})
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    private boolean json;

    StatusCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        StatusReport report = new StatusReport(databases.chosen().stream()
                .map(source -> new StatusReader(source, databases.connections(source)).read())
                .toList());
        console.print(json ? report.toJson() + System.lineSeparator() : report.toTable());
        return report.complete() ? 0 : 1;
    }

    /**
     * The status of all sources, to be shown. The names in the JSON are stable.
     *
     * @param sources one after the other
     */
    record StatusReport(List<SourceStatus> sources) {

        /** {@return whether every source answered and has the tables that the relay needs} */
        boolean complete() {
            return sources.stream().allMatch(source -> source.problem() == null);
        }

        /** {@return the report as JSON on several lines} */
        String toJson() {
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
        String toTable() {
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
                            : Words.plain(String.join(", ", source.overview().instances()))));
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
                        lane.owner() == null ? "-" : Words.plain(lane.owner()),
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
                        Words.plain(pause.aggregateType()),
                        Words.plain(pause.eventType()),
                        Words.plain(pause.pausedBy()),
                        pause.pausedSeconds(),
                        Words.plain(pause.reason())));
            }
        }

        private static double rounded(double seconds) {
            return Math.round(seconds * 1000) / 1000.0;
        }
    }

    /** Reads a source's database. The rights of the role {@code outbox_relay} are enough. */
    static final class StatusReader {

        private final SourceSettings source;
        private final DataSource connections;

        StatusReader(SourceSettings source, DataSource connections) {
            this.source = source;
            this.connections = connections;
        }

        /** What the database shows; a database that does not answer is an answer too. */
        SourceStatus read() {
            try (Connection connection = connections.getConnection()) {
                return read(connection);
            } catch (SQLException e) {
                return SourceStatus.unreachable(
                        source.name(), "The database does not answer: " + DatabaseMessage.of(e));
            }
        }

        private SourceStatus read(Connection connection) throws SQLException {
            OptionalInt version =
                    OutboxSchema.defaults().withSchema(source.schema()).version(connection);
            if (version.isEmpty()) {
                return SourceStatus.notUsable(
                        source.name(),
                        null,
                        "There is no outbox in the schema %s. Install it with the command migrate."
                                .formatted(source.schema()));
            }
            if (version.getAsInt() < OutboxSchema.REQUIRED_VERSION) {
                return SourceStatus.notUsable(
                        source.name(),
                        version.getAsInt(),
                        "The outbox has version %d, this relay needs %d. Upgrade it with the command migrate."
                                .formatted(version.getAsInt(), OutboxSchema.REQUIRED_VERSION));
            }
            try {
                Overview overview =
                        source.dialect().overview(source.schema(), new SingleConnectionDataSource(connection, true));
                return new SourceStatus(source.name(), true, null, version.getAsInt(), overview);
            } catch (DataAccessException e) {
                return SourceStatus.notUsable(
                        source.name(), version.getAsInt(), "The outbox cannot be read: " + DatabaseMessage.of(e));
            }
        }
    }

    /**
     * One source as its database shows it.
     *
     * @param name the source's name
     * @param problem why nothing more is known, in a sentence; null when all is known
     * @param reachable whether the database answered
     * @param schemaVersion version of the outbox tables; null when unknown or not installed
     * @param overview what is in the tables; {@link Overview#NONE} when nothing is known
     */
    record SourceStatus(
            String name,
            boolean reachable,
            @Nullable String problem,
            @Nullable Integer schemaVersion,
            Overview overview) {

        static SourceStatus unreachable(String name, String problem) {
            return new SourceStatus(name, false, problem, null, Overview.NONE);
        }

        static SourceStatus notUsable(String name, @Nullable Integer schemaVersion, String problem) {
            return new SourceStatus(name, true, problem, schemaVersion, Overview.NONE);
        }

        /** Events of all lanes that are not yet published. */
        long backlogEvents() {
            return overview.lanes().stream()
                    .mapToLong(Overview.Lane::backlogEvents)
                    .sum();
        }
    }
}
