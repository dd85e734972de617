package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** RabbitMQ's own load generator: one producer that publishes the same message again and again, with confirms. */
final class PerfTest implements Contender {

    private static final String CONFIRM_WINDOW = "2000";
    private static final Duration LONGEST_END = Duration.ofSeconds(20);

    private final String amqpUri;
    private final int payloadBytes;
    private final Path output;

    PerfTest(String amqpUri, int payloadBytes, Path output) {
        this.amqpUri = amqpUri;
        this.payloadBytes = payloadBytes;
        this.output = output;
    }

    @Override
    public String name() {
        return "perf-test";
    }

    @Override
    public void prepare(long events) {
        // It makes its messages up.
    }

    @Override
    public JavaProcess start(long events) throws IOException {
        List<String> arguments = List.of(
                "--producers",
                "1",
                "--consumers",
                "0",
                "--pmessages",
                Long.toString(events),
                "--confirm",
                CONFIRM_WINDOW,
                "--flag",
                "persistent",
                "--size",
                Integer.toString(payloadBytes),
                "--predeclared",
                "--exchange",
                BenchQueue.EXCHANGE,
                "--type",
                "topic",
                "--routing-key",
                BenchQueue.ROUTING_KEY);
        // The address has a password in it, which a command line would show to everyone.
        Map<String, String> environment =
                Map.of("RABBITMQ_PERF_TEST_ENV_PREFIX", "OUTBOX_BENCH_", "OUTBOX_BENCH_URI", amqpUri);
        return JavaProcess.startClass(com.rabbitmq.perf.PerfTest.class, arguments, environment, output);
    }

    @Override
    public boolean isDone() {
        return true;
    }

    @Override
    public String remarks(Duration drain) {
        return "";
    }

    @Override
    public void stop(JavaProcess process) throws InterruptedException {
        OptionalInt status = process.waitFor(LONGEST_END);
        if (status.isEmpty()) {
            process.kill();
        }
    }
}
