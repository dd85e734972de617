package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** One measured consumer in a process of its own. SIGTERM ends it in order. */
final class ConsumeProgram {

    private static final String JDBC_URL = "OUTBOX_BENCH_JDBC_URL";
    private static final String USER = "OUTBOX_BENCH_USER";
    private static final String PASSWORD = "OUTBOX_BENCH_PASSWORD";
    private static final String AMQP_URI = "OUTBOX_BENCH_URI";

    private ConsumeProgram() {}

    /**
     * Starts the process.
     *
     * @param heapEvents number of events at whose tenths the process prints its heap; 0 for never
     * @param javaOptions options of its JVM, may be empty
     * @param output the file that receives its output
     */
    static JavaProcess start(
            ConsumeContender contender, Servers servers, long heapEvents, String javaOptions, Path output)
            throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put(JDBC_URL, servers.jdbcUrl());
        environment.put(USER, servers.user());
        environment.put(PASSWORD, servers.password());
        environment.put(AMQP_URI, servers.amqpUri());
        if (!javaOptions.isEmpty()) {
            environment.put("JDK_JAVA_OPTIONS", javaOptions);
        }
        return JavaProcess.startClass(
                ConsumeProgram.class, List.of(contender.toString(), Long.toString(heapEvents)), environment, output);
    }

    /**
     * Consumes until the process ends.
     *
     * @param arguments the contender and the number of events at whose tenths the heap is printed
     */
    public static void main(String[] arguments) throws Exception {
        Map<String, String> environment = System.getenv();
        ConsumerParts parts = ConsumerParts.open(
                environment.get(JDBC_URL), environment.get(USER), environment.get(PASSWORD), environment.get(AMQP_URI));
        AutoCloseable consumer = ConsumeContender.named(arguments[0]).start(parts);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(consumer)));
        long heapEvents = Long.parseLong(arguments[1]);
        if (heapEvents > 0) {
            new HeapLog(parts.effects(), heapEvents, System.out).run();
        }
        new CountDownLatch(1).await();
    }

    private static void close(AutoCloseable consumer) {
        try {
            consumer.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }
}
