package io.outboxrelay.samples.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * Runs the {@link Demo} from within Maven's JVM in one of its own, because embedded servers want an ordinary class
 * path. Output, exit status and Ctrl-C are passed on.
 */
public final class DemoLauncher {

    private DemoLauncher() {}

    /**
     * Starts the demo, waits for its end and exits with its status.
     *
     * @param arguments none; system properties {@code demo.*} and {@code outbox.*} are passed on,
     *     {@code demo.class-path} is what the demo runs with
     * @throws IOException when it cannot be started
     * @throws InterruptedException when waiting is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Process demo =
                new ProcessBuilder(command(System.getProperties())).inheritIO().start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(demo), "end-of-the-demo"));
        System.exit(demo.waitFor());
    }

    private static List<String> command(Properties properties) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(properties.getProperty("java.home"), "bin", "java").toString());
        properties.stringPropertyNames().stream()
                .filter(name -> name.startsWith("demo.") || name.startsWith("outbox."))
                .filter(name -> !name.equals("demo.class-path"))
                .forEach(name -> command.add("-D%s=%s".formatted(name, properties.getProperty(name))));
        command.add("-D%s=%d".formatted(Demo.PARENT, ProcessHandle.current().pid()));
        command.addAll(List.of("-cp", properties.getProperty("demo.class-path"), Demo.class.getName()));
        return command;
    }

    /** Waits, so that the prompt comes back only when everything has stopped. */
    private static void end(Process demo) {
        demo.destroy();
        demo.onExit().join();
    }
}
