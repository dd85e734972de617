package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Filter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.function.ToLongBiFunction;
import picocli.CommandLine;

/**
 * Changes failures in each database, or only counts them, and says how many.
 *
 * @param databases where
 * @param selection what was chosen
 * @param noun what it is
 * @param participle what becomes of it
 */
record FailuresChange(DatabaseOptions databases, SelectionOptions selection, String noun, String participle) {

    int run(CommandLine command, Filter filter, ToLongBiFunction<Failures, LongConsumer> change) {
        AtomicLong all = new AtomicLong();
        int status = databases.each(command, database -> {
            long found = database.failures().count(filter);
            long changed = found;
            if (!selection.dryRun() && found > 0) {
                Progress progress = new Progress(command.getErr(), database.source(), found);
                changed = change.applyAsLong(database.failures(), progress);
            }
            command.getOut().println(sentence(database, changed));
            command.getOut().flush();
            all.addAndGet(changed);
        });
        if (status == 0) {
            selection.explainMissing(command, all.get());
        }
        return status;
    }

    private String sentence(Database database, long changed) {
        String verb = (changed == 1 ? "is " : "are ") + participle;
        return "source %s: %s %s"
                .formatted(
                        database.source(),
                        Words.count(changed, noun),
                        selection.dryRun() ? "would be " + participle : verb);
    }
}
