package io.outboxrelay.relay.schemas;

import io.outboxrelay.relay.operations.Printable;
import io.outboxrelay.schemas.exchange.Progress;
import picocli.CommandLine;

/** Prints what happens while contracts go to a registry or come from it. */
record Told(CommandLine command) implements Progress {

    @Override
    public void done(String what) {
        command.getOut().println(Printable.lines(what));
        command.getOut().flush();
    }

    @Override
    public void problem(String what) {
        command.getErr().println(Printable.lines(what));
        command.getErr().flush();
    }
}
