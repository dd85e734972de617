package io.outboxrelay.samples;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.MessageProperties;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistrySettings;
import io.outboxrelay.testservers.PrivateRegistry;
import io.outboxrelay.testservers.RegistryLine;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A consumer in another language reads events that were encoded here, with real servers and schemas from a real
 * registry.
 */
@Tag("full")
class NodeConsumerIT {

    private static final int EVENTS = 1_000;
    private static final String SUBJECT = "shop.order-placed";
    private static final Path SCRIPT = Path.of("../node-consumer");

    private static final String FIELDS = """
            {"type": "record", "name": "OrderPlaced", "namespace": "shop.events", "fields": [
              {"name": "id", "type": "string"},
              {"name": "number", "type": "long"},
              {"name": "weight", "type": "double"},
              {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}},
              {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
              {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 4}},
              {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
                {"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}]}}},
              {"name": "labels", "type": {"type": "map", "values": "string"}},
              {"name": "note", "type": ["null", "string"], "default": null}%s]}""";
    private static final Schema FIRST = new Schema.Parser().parse(FIELDS.formatted(""));
    private static final Schema SECOND = new Schema.Parser()
            .parse(FIELDS.formatted(", {\"name\": \"gift\", \"type\": \"boolean\", \"default\": false}"));

    @TempDir
    private Path folder;

    @Test
    void a_node_program_reads_a_thousand_events_of_two_versions_and_every_value_is_what_was_written() throws Exception {
        requireNode();
        Path project = Files.createDirectories(folder.resolve("node-consumer"));
        for (String file : List.of("package.json", "package-lock.json", "consume.js")) {
            Files.copy(SCRIPT.resolve(file), project.resolve(file));
        }
        run(project, Map.of(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");

        try (PrivateRegistry server = Servers.startPrivateRegistry(RegistryLine.TWO);
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost()) {
            Registry registry = new Registry(new RegistrySettings(server.url(), new Credentials.None()));
            registry.register(SUBJECT, FIRST);
            registry.register(SUBJECT, SECOND);
            List<String> written = publish(host);

            List<String> read = run(
                    project,
                    Map.of(
                            "AMQP_URI", host.amqpUri(),
                            "QUEUE", "orders",
                            "COUNT", String.valueOf(EVENTS),
                            "REGISTRY", server.url().toString(),
                            "SUBJECT", SUBJECT),
                    "node",
                    "consume.js");

            assertThat(read).containsExactlyElementsOf(written);
        }
    }

    /** Publishes the events, and returns what a reader is to print of each. */
    private static List<String> publish(TestVirtualHost host) throws Exception {
        List<String> lines = new ArrayList<>();
        EventEncoder encoder = EventEncoder.singleObject();
        try (Connection connection = host.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.queueDeclare("orders", true, false, false, null);
            for (int n = 0; n < EVENTS; n++) {
                Schema schema = n % 3 == 0 ? FIRST : SECOND;
                channel.basicPublish(
                        "", "orders", MessageProperties.PERSISTENT_BASIC, encoder.encode(event(schema, n)));
                lines.add(line(schema, n));
            }
            channel.waitForConfirmsOrDie(TimeUnit.SECONDS.toMillis(60));
        }
        return lines;
    }

    private static GenericData.Record event(Schema schema, int n) {
        GenericData.Record event = new GenericData.Record(schema);
        event.put("id", id(n));
        event.put("number", number(n));
        event.put("weight", weight(n));
        event.put("amount", ByteBuffer.wrap(amount(n)));
        event.put("state", new GenericData.EnumSymbol(schema.getField("state").schema(), n % 2 == 0 ? "NEW" : "PAID"));
        event.put("hash", new GenericData.Fixed(schema.getField("hash").schema(), hash(n)));
        List<GenericData.Record> items = new ArrayList<>();
        for (int i = 0; i < n % 4; i++) {
            GenericData.Record item =
                    new GenericData.Record(schema.getField("lines").schema().getElementType());
            item.put("sku", "sku-" + i);
            item.put("quantity", -i * n);
            items.add(item);
        }
        event.put("lines", items);
        event.put("labels", n % 2 == 0 ? Map.of() : Map.of("größe", "n" + n));
        event.put("note", n % 5 == 0 ? null : "note " + n);
        if (schema.getField("gift") != null) {
            event.put("gift", n % 7 == 0);
        }
        return event;
    }

    private static String line(Schema schema, int n) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < n % 4; i++) {
            lines.append(i == 0 ? "" : ",").append("{\"sku\":\"sku-%d\",\"quantity\":%d}".formatted(i, -i * n));
        }
        return "{\"id\":\"%s\",\"number\":\"%d\",\"weight\":%s,\"amount\":\"%s\",\"state\":\"%s\",\"hash\":\"%s\",\"lines\":[%s],\"labels\":{%s},\"note\":%s%s}"
                .formatted(
                        id(n),
                        number(n),
                        weight(n),
                        HexFormat.of().formatHex(amount(n)),
                        n % 2 == 0 ? "NEW" : "PAID",
                        HexFormat.of().formatHex(hash(n)),
                        lines,
                        n % 2 == 0 ? "" : "\"größe\":\"n" + n + "\"",
                        n % 5 == 0 ? "null" : "\"note " + n + "\"",
                        schema.getField("gift") == null ? "" : ",\"gift\":" + (n % 7 == 0));
    }

    private static String id(int n) {
        return "order-" + n + "-grün-€-😀";
    }

    /** With all 64 bits in use. */
    private static long number(int n) {
        return n == 0 ? Long.MIN_VALUE : n == 1 ? Long.MAX_VALUE : 0x0123_4567_89AB_CDEFL * n;
    }

    /** Never whole, so that both languages print it alike. */
    private static double weight(int n) {
        return n + 0.25 + 1.0 / 4096 * n;
    }

    private static byte[] amount(int n) {
        return ByteBuffer.allocate(Long.BYTES).putLong(n * 1_000_003L - 7).array();
    }

    private static byte[] hash(int n) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(n * 31_337 - 1).array();
    }

    private static void requireNode() {
        for (String program : List.of("node", "npm")) {
            try {
                new ProcessBuilder(program, "--version")
                        .redirectErrorStream(true)
                        .start()
                        .waitFor();
            } catch (IOException e) {
                String missing = "a consumer in another language is not tried: " + program + " is not installed";
                System.err.println("\n*** CANNOT RUN: " + missing + " ***\n");
                Assumptions.abort(missing);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Runs a program to its end and returns the lines that it printed. */
    private List<String> run(Path directory, Map<String, String> environment, String... command) throws Exception {
        Path out = folder.resolve(command[0] + ".out");
        Path err = folder.resolve(command[0] + ".err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(new HashMap<>(environment));
        Process process = builder.start();
        boolean ended = process.waitFor(180, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        assertThat(ended && process.exitValue() == 0)
                .as("%s ended=%s: %s", List.of(command), ended, Files.readString(err))
                .isTrue();
        return Files.readAllLines(out, StandardCharsets.UTF_8);
    }
}
