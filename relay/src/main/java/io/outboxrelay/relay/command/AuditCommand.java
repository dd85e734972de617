package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.database.Failures.Audited;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        description = "Lists what people have retried, discarded, paused, resumed and replayed, the newest first."
                + " Needs a database user with the role outbox_admin.",
        footer = {"", "Exit status: 0 all sources answered, 1 one did not answer, 2 wrong use or configuration."})
final class AuditCommand implements Callable<Integer> {

    /** The ids of discarded events fill lines; JSON shows them all. */
    private static final int LONGEST_SHOWN = 100;

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            converter = Words.SinceConverter.class,
            description = "Only entries from this time on (database clock), for example 2026-01-31 (UTC),"
                    + " 2026-01-31T12:00:00Z, or 2h for the last two hours.")
    private @Nullable UnaryOperator<Instant> since;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "50", description = "Maximum rows. Default: 50.")
    private int limit;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    private boolean json;

    AuditCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        if (limit < 0) {
            throw console.wrongUse("--limit must not be negative.");
        }
        return databases.ask(json, database -> new Entries(database.failures().audit(limit, since)));
    }

    /** {@return the person and the database user of an entry} */
    static String who(Audited entry) {
        return Words.plain("%s (database user %s)".formatted(entry.who(), entry.dbUser()));
    }

    static void add(ObjectNode json, Audited entry) {
        json.put("id", entry.id())
                .put("at", entry.at().toString())
                .put("who", entry.who())
                .put("db_user", entry.dbUser())
                .put("action", entry.action())
                .put("what", entry.what())
                .put("events", entry.events())
                .put("reason", entry.reason());
    }

    private record Entries(List<Audited> entries) implements Answer {

        @Override
        public String text() {
            if (entries.isEmpty()) {
                return "no entries\n";
            }
            Words.Table table = new Words.Table("at", "who", "action", "events", "reason", "what");
            entries.forEach(entry -> table.row(
                    Words.time(entry.at()),
                    who(entry),
                    Words.plain(entry.action()),
                    Words.number(entry.events()),
                    entry.reason().isEmpty() ? "-" : Words.plain(entry.reason()),
                    Words.plain(shortened(entry.what()))));
            return table.toString();
        }

        private static String shortened(String what) {
            return what.length() <= LONGEST_SHOWN ? what : what.substring(0, LONGEST_SHOWN) + "…";
        }

        @Override
        public void addTo(ObjectNode json) {
            ArrayNode list = json.putArray("audit");
            entries.forEach(entry -> AuditCommand.add(list.addObject(), entry));
        }
    }
}
