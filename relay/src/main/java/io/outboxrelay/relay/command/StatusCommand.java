package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
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
        description = "Shows how many events of every source are not delivered, where they are and how old the oldest"
                + " is, which relays are alive and what is paused. Read from the databases: no relay has to be"
                + " running.",
        footer = {"", "Exit status: 0 all sources answered, 1 a source did not answer, 2 wrong use or configuration."})
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Option(names = "--lanes", description = "Also list the lanes: owner, epoch, lease, events in the outbox.")
    private boolean lanes;

    @Option(names = "--json", description = "Print JSON instead of text.")
    private boolean json;

    StatusCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        StatusReport report = new StatusReport(databases.chosen().stream()
                .map(source -> new StatusReader(source.login(), databases.connections(source.login())).read())
                .toList());
        console.print(json ? report.toJson() + System.lineSeparator() : report.toText(lanes));
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
            json.put("undelivered_events", source.overview().undeliveredEvents());
            json.put("undelivered_oldest_seconds", rounded(source.overview().oldestSeconds()));
            json.put("backlog_events", source.overview().backlogEvents());
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

        /**
         * Writes the report for people.
         *
         * @param withLanes whether to list the lanes
         * @return a line for each source, and below it what a person should know at once
         */
        String toText(boolean withLanes) {
            StringBuilder text = new StringBuilder();
            for (SourceStatus source : sources) {
                text.append("source ").append(source.name()).append(": ");
                if (source.problem() != null) {
                    text.append(source.problem()).append('\n');
                } else {
                    add(text, source.overview());
                    text.append(withLanes ? laneTable(source.overview()).indent(2) : "");
                }
            }
            return text.toString();
        }

        private static void add(StringBuilder text, Overview overview) {
            long owned = overview.lanes().stream()
                    .filter(lane -> lane.leaseSeconds() > 0)
                    .count();
            text.append("%s; %s, %d of %s owned\n"
                    .formatted(
                            undelivered(overview),
                            overview.instances().isEmpty()
                                    ? "no relay is alive"
                                    : Words.count(overview.instances().size(), "relay") + " alive",
                            owned,
                            Words.count(overview.lanes().size(), "lane")));
            if (!overview.failures().isEmpty()) {
                text.append("  To see which events failed and why, run: failures list\n");
            }
            for (Overview.Pause pause : overview.pauses()) {
                text.append("  paused: %s, by %s for %s: %s\n"
                        .formatted(
                                PauseCommand.name(new Route(pause.aggregateType(), pause.eventType())),
                                Words.plain(pause.pausedBy()),
                                Words.duration(Duration.ofSeconds((long) pause.pausedSeconds())),
                                Words.plain(pause.reason())));
            }
        }

        /** Never silent about an event that is stuck, wherever it is. */
        private static String undelivered(Overview overview) {
            long events = overview.undeliveredEvents();
            if (events == 0) {
                return "nothing undelivered";
            }
            List<String> places = new ArrayList<>();
            if (overview.backlogEvents() > 0) {
                places.add(Words.number(overview.backlogEvents()) + " in the outbox");
            }
            for (State state : State.values()) {
                Long failures = overview.failures().get(state.toString());
                if (failures != null) {
                    places.add(Words.number(failures) + " " + state
                            + (state == State.WAITING ? " behind failed ones" : ""));
                }
            }
            return "%s undelivered, the oldest for %s: %s"
                    .formatted(
                            Words.count(events, "event"),
                            Words.duration(Duration.ofSeconds((long) overview.oldestSeconds())),
                            String.join(", ", places));
        }

        private static String laneTable(Overview overview) {
            Words.Table table = new Words.Table("lane", "owner", "epoch", "lease", "outbox");
            for (Overview.Lane lane : overview.lanes()) {
                table.row(
                        String.valueOf(lane.lane()),
                        lane.owner() == null ? "-" : Words.plain(lane.owner()),
                        String.valueOf(lane.epoch()),
                        String.format(Locale.ROOT, "%.1f s", lane.leaseSeconds()),
                        Words.number(lane.backlogEvents()));
            }
            return table.toString();
        }

        private static double rounded(double seconds) {
            return Math.round(seconds * 1000) / 1000.0;
        }
    }

    /** Reads a source's database. The rights of the role {@code outbox_relay} are enough. */
    static final class StatusReader {

        private final DatabaseLogin source;
        private final DataSource connections;

        StatusReader(DatabaseLogin source, DataSource connections) {
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
    }
}
