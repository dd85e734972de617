package io.outboxrelay.testservers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A process that dies with this JVM, and the signals that can be sent to it and to all processes below it. */
final class ChildProcess {
    /*
     * Linux ties the death signal of a child to the thread that started it, not to the process. So one thread, which
     * lives as long as the JVM, starts all of them.
     */
    private static final ExecutorService PARENT = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "parent-of-test-servers");
        thread.setDaemon(true);
        return thread;
    });

    private static final Duration LONGEST_STOP = Duration.ofSeconds(10);

    private final Process process;

    private ChildProcess(Process process) {
        this.process = process;
    }

    /** What a command printed and how it ended. */
    record Result(int status, String output, String error) {}

    /**
     * Starts a process that the kernel kills as soon as this JVM is gone, where {@code setpriv} (util-linux) is there
     * to arrange it.
     *
     * @throws IOException when the program cannot be started
     */
    static ChildProcess start(ProcessBuilder builder) throws IOException {
        Path setpriv = Path.of("/usr/bin/setpriv");
        if (Files.isExecutable(setpriv)) {
            List<String> command = new ArrayList<>(List.of(setpriv.toString(), "--pdeathsig", "KILL"));
            if (builder.command().get(0).equals("setpriv")) {
                command.addAll(builder.command().subList(1, builder.command().size()));
            } else {
                command.addAll(builder.command());
            }
            builder.command(command);
        }
        try {
            return CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    return new ChildProcess(builder.start());
                                } catch (IOException e) {
                                    throw new CompletionException(e);
                                }
                            },
                            PARENT)
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * Runs a command to its end.
     *
     * @throws IOException when the program cannot be started or does not end within two minutes
     */
    static Result run(ProcessBuilder builder) throws IOException, InterruptedException {
        Path error = Files.createTempFile("outbox-command", ".err");
        try {
            Process process = start(builder.redirectError(error.toFile())).process;
            process.getOutputStream().close();
            String output;
            try (InputStream stream = process.getInputStream()) {
                output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            }
            if (!process.waitFor(2, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException("%s did not end within 2 minutes".formatted(builder.command()));
            }
            return new Result(process.exitValue(), output, Files.readString(error));
        } finally {
            Files.deleteIfExists(error);
        }
    }

    Process process() {
        return process;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends a signal to the process alone. */
    void signal(String signal) {
        if (process.isAlive()) {
            signal(signal, List.of(process.toHandle()));
        }
    }

    /** Sends a signal to the process and everything below it; a process that is gone is passed over. */
    void signalTree(String signal) {
        List<ProcessHandle> tree = tree();
        signal(signal, tree);
    }

    /** Kills the process alone, and returns when it is gone. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Kills the process and everything below it, and returns when all are gone. */
    void killTree() {
        signal("STOP"); // a stopped parent starts no child behind our back
        List<ProcessHandle> tree = tree();
        tree.forEach(ProcessHandle::destroyForcibly);
        tree.forEach(handle -> handle.onExit().join());
        process.destroyForcibly();
        process.onExit().join();
    }

    private List<ProcessHandle> tree() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    private static void signal(String signal, List<ProcessHandle> handles) {
        if (handles.isEmpty()) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\"", signal));
        handles.forEach(handle -> command.add(Long.toString(handle.pid())));
        try {
            Process kill = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            kill.onExit().join();
            if (signal.equals("STOP")) {
                awaitStop(handles);
            }
        } catch (IOException e) {
            throw new IllegalStateException(
                    "Could not send SIG%s to %s: %s".formatted(signal, command, e.getMessage()), e);
        }
    }

    /** A thread on another processor runs on for a moment after the signal was sent, and might answer somebody. */
    private static void awaitStop(List<ProcessHandle> handles) {
        long end = System.nanoTime() + LONGEST_STOP.toNanos();
        while (System.nanoTime() < end && handles.stream().anyMatch(ChildProcess::runs)) {
            LockSupport.parkNanos(100_000);
        }
    }

    /** Whether a thread of the process runs or waits, as far as this system tells (proc(5)). */
    private static boolean runs(ProcessHandle handle) {
        try (Stream<Path> threads = Files.list(Path.of("/proc", handle.pid() + "", "task"))) {
            return threads.anyMatch(ChildProcess::threadRuns);
        } catch (IOException e) {
            return false; // it is gone, or there is no such folder here
        }
    }

    private static boolean threadRuns(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return "RSD".indexOf(stat.charAt(stat.lastIndexOf(')') + 2)) >= 0;
        } catch (IOException e) {
            return false; // it has just ended
        }
    }
}
