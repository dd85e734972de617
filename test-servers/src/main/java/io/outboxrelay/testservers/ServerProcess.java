package io.outboxrelay.testservers;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server that runs as a process of this machine. Any thread may call it; the data survives everything but
 * {@link #close}.
 */
final class ServerProcess implements ServerControl {
    private static final Duration STOP_LIMIT = Duration.ofSeconds(60);

    /**
     * How to start it.
     *
     * @param what the server, for errors
     * @param command the program that becomes the server, in the same process
     * @param environment replaces what this JVM has under the same names
     * @param stopSignal the signal for a fast but clean stop
     * @param question how to find out that it is ready
     * @param startLimit how long it may take to be ready
     */
    record Recipe(
            String what,
            List<String> command,
            Map<String, String> environment,
            String stopSignal,
            Readiness.Question question,
            Duration startLimit) {}

    private final Recipe recipe;
    private final PrivateFolder folder;
    private final @Nullable ChildProcess companion;
    private @Nullable ChildProcess process;
    private String version = "";

    /**
     * @param recipe how to start it
     * @param folder its files, deleted at the end
     * @param companion a process that it needs and that lives until {@link #close}, or null
     */
    ServerProcess(Recipe recipe, PrivateFolder folder, @Nullable ChildProcess companion) {
        this.recipe = recipe;
        this.folder = folder;
        this.companion = companion;
    }

    synchronized String version() {
        return version;
    }

    synchronized boolean isRunning() {
        return process != null && process.isAlive();
    }

    @Override
    public synchronized void start() {
        if (isRunning()) {
            return;
        }
        ProcessBuilder builder = new ProcessBuilder(recipe.command())
                .directory(folder.path().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.log().toFile()));
        builder.environment().putAll(recipe.environment());
        try {
            process = ChildProcess.start(builder);
        } catch (IOException e) {
            throw new IllegalStateException("%s could not be started: %s".formatted(recipe.what(), e.getMessage()), e);
        }
        version = Readiness.await(
                recipe.what(), recipe.startLimit(), recipe.question(), process::isAlive, folder::endOfLog);
    }

    @Override
    public synchronized void stop() {
        if (process == null || !process.isAlive()) {
            return;
        }
        process.signal(recipe.stopSignal());
        try {
            if (!process.process().waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("%s did not stop within %d s of SIG%s; end of its log:%n%s"
                        .formatted(recipe.what(), STOP_LIMIT.toSeconds(), recipe.stopSignal(), folder.endOfLog()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while stopping " + recipe.what(), e);
        }
    }

    @Override
    public synchronized void kill() {
        if (process != null) {
            process.killTree();
        }
    }

    @Override
    public synchronized void freeze() {
        if (process != null) {
            process.signalTree("STOP");
        }
    }

    @Override
    public synchronized void thaw() {
        if (process != null) {
            process.signalTree("CONT");
        }
    }

    @Override
    public synchronized void close() {
        AtExit.forget(this);
        kill();
        if (companion != null) {
            companion.killTree();
        }
        try {
            folder.delete();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "The files of %s in %s could not be removed: %s"
                            .formatted(recipe.what(), folder.path(), e.getMessage()),
                    e);
        }
    }

    @Override
    public String toString() {
        return recipe.what();
    }
}
