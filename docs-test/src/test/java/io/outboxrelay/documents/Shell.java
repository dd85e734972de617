package io.outboxrelay.documents;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** A terminal: commands run one after the other in one shell, and what they leave in the background ends with it. */
final class Shell implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final Path notes;
    private final Process bash;
    private final Writer input;
    private int count;

    /**
     * Opens it.
     *
     * @param folder in which it begins
     * @param notes an empty folder for scripts and outputs
     * @param environment additional variables
     */
    Shell(Path folder, Path notes, Map<String, String> environment) throws IOException {
        this.notes = notes;
        ProcessBuilder builder = new ProcessBuilder("bash", "--noprofile", "--norc")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(notes.resolve("shell.out").toFile());
        builder.environment().putAll(environment);
        this.bash = builder.start();
        this.input = bash.outputWriter(StandardCharsets.UTF_8);
    }

    /**
     * What commands have done.
     *
     * @param status exit status of the last one
     * @param output all that they printed
     */
    record Result(int status, String output) {}

    /** Runs commands and waits for the last one that is not in the background. */
    Result run(String commands) throws IOException {
        int number = ++count;
        Path script = Files.writeString(notes.resolve(number + ".sh"), commands);
        Path output = notes.resolve(number + ".out");
        Path status = notes.resolve(number + ".status");
        input.write("source '%s' > '%s' 2>&1; echo $? > '%s.new'; mv '%s.new' '%s'\n"
                .formatted(script, output, status, status, status));
        input.flush();
        try {
            Awaitility.await().atMost(LONGEST).until(() -> Files.exists(status) || !bash.isAlive());
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "Not done after %s:%n%s%n%s".formatted(LONGEST, commands, Files.readString(output)), e);
        }
        if (!Files.exists(status)) {
            throw new AssertionError("The shell ended at:%n%s".formatted(commands));
        }
        return new Result(Integer.parseInt(Files.readString(status).strip()), Files.readString(output));
    }

    @Override
    public void close() {
        bash.descendants().forEach(ProcessHandle::destroyForcibly);
        bash.destroyForcibly();
    }
}
