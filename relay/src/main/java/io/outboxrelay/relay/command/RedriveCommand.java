package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.DatabaseOptions.Reach;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.rabbitmq.Redrive;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "redrive",
        mixinStandardHelpOptions = true,
        description = "Takes the messages of a dead-letter queue back to the queues in which they died first, in the"
                + " order of the queue. Stops at the first that cannot be published. Needs no database; with --source"
                + " its audit log records the redrive.",
        footer = {
            "",
            "Exit status: 0 all messages were moved, 1 some were not, 2 wrong use or configuration.",
            "Nothing is lost if the command is interrupted. A message may then arrive twice, with the same id; an inbox"
                    + " drops the second one."
        })
final class RedriveCommand implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(RedriveCommand.class);

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final AuditOptions audit = new AuditOptions();

    @Option(
            names = "--queue",
            paramLabel = "QUEUE",
            required = true,
            description = "The dead-letter queue, for example billing.orders.dead-letter.")
    private String queue = "";

    @Option(names = "--limit", paramLabel = "N", description = "Maximum messages. Default: all that are in the queue.")
    private @Nullable Long limit;

    @Option(names = "--dry-run", description = "Only report how many messages would be moved.")
    private boolean dryRun;

    RedriveCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment, Reach.INBOXES);
    }

    @Override
    public Integer call() {
        if (queue.isBlank()) {
            throw console.wrongUse("--queue must not be empty.");
        }
        if (limit != null && limit < 1) {
            throw console.wrongUse("--limit must be positive.");
        }
        Note note = audit.note();
        return databases.isNamed() ? databases.only(database -> redrive(database, note)) : redrive(null, note) ? 0 : 1;
    }

    private boolean redrive(@Nullable Database database, Note note) {
        try (Redrive redrive = new Redrive(databases.broker(), queue)) {
            long messages = limit == null ? redrive.messages() : Math.min(limit, redrive.messages());
            if (dryRun || messages == 0) {
                console.println(label()
                        + (messages == 0 ? "no messages" : Words.count(messages, "message") + " would be moved"));
                return true;
            }
            note(database, "inbox redrive", "queue " + queue, messages, note);
            Redrive.Result result = redrive.move(messages, console.new Progress("queue " + queue, messages));
            console.println(label() + sentence(result));
            if (result.stopped() != null) {
                note(database, "inbox redrive stopped", "queue " + queue, result.messages(), note);
            }
            return result.stopped() == null;
        }
    }

    private String label() {
        return "queue " + Words.plain(queue) + ": ";
    }

    private static String sentence(Redrive.Result result) {
        String moved = "moved %s%s"
                .formatted(
                        Words.count(result.messages(), "message"),
                        result.messages() == 0 ? "" : " (" + Words.plain(String.join(", ", result.queues())) + ")");
        return result.stopped() == null
                ? moved
                : moved + ", then stopped: " + Words.plain(result.stopped())
                        + ". Fix the cause, then run the command again.";
    }

    /** Always in the log, since there may be no database to note it in. */
    private static void note(@Nullable Database database, String action, String what, long messages, Note note) {
        LOG.info(
                "{}: {}, {}, by {}{}",
                action,
                what,
                Words.count(messages, "message"),
                note.who(),
                note.reason().isEmpty() ? "" : ": " + note.reason());
        if (database != null) {
            database.consumers().note(action, what, messages, note);
        }
    }
}
