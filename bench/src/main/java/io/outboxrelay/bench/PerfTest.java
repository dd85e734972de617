package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * RabbitMQ's own load generator: one producer that publishes the same message again and again, with confirms, knowing
 * neither a database nor an order to keep.
 */
final class PerfTest implements Contender {

    private static final int CONFIRM_WINDOW = 2_000;

    /** What each of the relay's messages carries beside its body. */
    private static final List<String> MESSAGE_OF_THE_RELAY = List.of(
            "--flag",
            "mandatory",
            "--message-properties",
            "messageId=0193538f-6b2a-7000-8000-000000000000,type=Placed,appId=bench"
                    + ",contentType=application/octet-stream,timestamp=2026-01-01T00:00:00+00:00"
                    + ",aggregate_type=Order,aggregate_id=order-500,outbox_lane=3");

    private static final Duration LONGEST_END = Duration.ofSeconds(20);

    private final String name;
    private final String amqpUri;
    private final int payloadBytes;
    private final int confirmWindow;
    private final List<String> message;
    private final Path output;

    private PerfTest(
            String name, String amqpUri, int payloadBytes, int confirmWindow, List<String> message, Path folder) {
        this.name = name;
        this.amqpUri = amqpUri;
        this.payloadBytes = payloadBytes;
        this.confirmWindow = confirmWindow;
        this.message = message;
        this.output = folder.resolve(name + ".log");
    }

    /** Bare messages, 2,000 unconfirmed at a time. */
    static PerfTest plain(String amqpUri, Load load, Path folder) {
        return new PerfTest("perf-test", amqpUri, load.payloadBytes(), CONFIRM_WINDOW, List.of(), folder);
    }

    /** The relay's messages, and as many unconfirmed at a time as the order within aggregates allows the relay. */
    static PerfTest alike(String amqpUri, Load load, Path folder) {
        return new PerfTest(
                "perf-test-alike",
                amqpUri,
                load.payloadBytes(),
                Math.min(CONFIRM_WINDOW, load.aggregates()),
                MESSAGE_OF_THE_RELAY,
                folder);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void prepare(long events) {
        // It makes its messages up.
    }

    @Override
    public JavaProcess start(long events) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--producers",
                "1",
                "--consumers",
                "0",
                "--pmessages",
                Long.toString(events),
                "--confirm",
                Integer.toString(confirmWindow),
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
                BenchQueue.ROUTING_KEY));
        arguments.addAll(message);
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
