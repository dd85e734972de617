package io.outboxrelay.testservers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * A Java program in a process of its own, whose output goes to a file. It ends when this JVM does, however that ends
 * (where {@code setpriv} is there; else when this JVM ends in order). Any thread may call it.
 */
public final class JavaProcess implements AutoCloseable {
    private final ChildProcess child;
    private final Path output;

    private JavaProcess(ChildProcess child, Path output) {
        this.child = child;
        this.output = output;
    }

    /**
     * Starts {@code java -jar}, with the Java that runs this JVM.
     *
     * @param jar the program
     * @param arguments its arguments
     * @param environment added to this JVM's environment
     * @param output the file that receives its standard output and error, appended to
     * @return the running process
     * @throws IOException when it cannot be started
     */
    public static JavaProcess startJar(Path jar, List<String> arguments, Map<String, String> environment, Path output)
            throws IOException {
        return start(List.of("-jar", jar.toString()), arguments, environment, output);
    }

    /**
     * Starts a class of this JVM's class path, with the Java that runs this JVM.
     *
     * @param mainClass the program, whose {@code main} is called
     * @param arguments its arguments
     * @param environment added to this JVM's environment
     * @param output the file that receives its standard output and error, appended to
     * @return the running process
     * @throws IOException when it cannot be started
     */
    public static JavaProcess startClass(
            Class<?> mainClass, List<String> arguments, Map<String, String> environment, Path output)
            throws IOException {
        return start(
                List.of("-cp", System.getProperty("java.class.path"), mainClass.getName()),
                arguments,
                environment,
                output);
    }

    private static JavaProcess start(
            List<String> program, List<String> arguments, Map<String, String> environment, Path output)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(program);
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
        builder.environment().putAll(environment);
        JavaProcess started = new JavaProcess(ChildProcess.start(builder), output);
        AtExit.close(started);
        return started;
    }

    /**
     * The number that the operating system gave the process.
     *
     * @return its process id
     */
    public long pid() {
        return child.process().pid();
    }

    /**
     * Whether the process has not ended yet; a frozen one has not.
     *
     * @return true while it exists
     */
    public boolean isAlive() {
        return child.isAlive();
    }

    /** Sends SIGKILL and waits until the process is gone; nothing if it has ended. */
    public void kill() {
        child.kill();
    }

    /** Sends SIGTERM and does not wait; nothing if it has ended. */
    public void terminate() {
        child.signal("TERM");
    }

    /** Sends SIGSTOP: the process keeps its sockets and does nothing; nothing if it has ended. */
    public void freeze() {
        child.signal("STOP");
    }

    /** Sends SIGCONT; nothing if it has ended. */
    public void thaw() {
        child.signal("CONT");
    }

    /**
     * Waits for the process to end.
     *
     * @param atMost how long
     * @return its exit status, 128 + n when signal n ended it; empty when it still runs
     * @throws InterruptedException when the calling thread is interrupted
     */
    public OptionalInt waitFor(Duration atMost) throws InterruptedException {
        boolean ended = child.process().waitFor(atMost.toNanos(), TimeUnit.NANOSECONDS);
        return ended ? OptionalInt.of(child.process().exitValue()) : OptionalInt.empty();
    }

    /**
     * The output of the process so far, after the earlier contents of the file.
     *
     * @return standard output and error, in the order of writing
     * @throws IllegalStateException when the file cannot be read
     */
    public String output() {
        try {
            return new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(
                    "The output of process %d in %s cannot be read: %s".formatted(pid(), output, e.getMessage()), e);
        }
    }

    /** Kills the process; its output file stays. */
    @Override
    public void close() {
        AtExit.forget(this);
        kill();
    }

    @Override
    public String toString() {
        return "process " + pid();
    }
}
