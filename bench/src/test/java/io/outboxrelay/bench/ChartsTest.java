package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ChartsTest {

    private static final String CONDITIONS = """
            # command: %s
            # date: 2026-12-01T18:00:00Z
            # database: PostgreSQL 15.20 (Debian)
            # broker: RabbitMQ 3.10.8
            # java: 17.0.1
            # processors: 2 (<fast> & cheap)
            # settings: rounds=2
            """;

    @TempDir
    Path folder;

    @Test
    void writers_have_a_bar_for_each_variant_with_the_conditions_below() throws Exception {
        RawData data = read("writers", """
                variant,round,transactions,seconds,rate,others
                plain,1,3000,3.0000,1000.0000,0.0100
                outbox,1,2700,3.0000,900.0000,0.0100
                """);

        Document chart = chart(data);

        assertThat(texts(chart))
                .contains("Transactions of a service that writes events", "outbox / plain", "0.90")
                .contains(
                        "PostgreSQL 15.20 (Debian), RabbitMQ 3.10.8, Java 17.0.1",
                        "processors: 2 (<fast> & cheap), 2026-12-01T18:00:00Z",
                        "bench writers: rounds=2");
        assertThat(chart.getElementsByTagName("rect").getLength()).isEqualTo(2);
    }

    @Test
    void latencies_have_a_median_and_a_worst_case_for_each_rate() throws Exception {
        RawData data = read("latency", """
                wakeup,rate,round,milliseconds
                none,100,1,2.0000
                none,100,1,4.0000
                none,100,2,6.0000
                """);

        assertThat(texts(chart(data))).contains("100/s, none, p50", "100/s, none, p99", "4.0", "5.0");
    }

    @Test
    void a_chart_is_named_after_the_versions() throws Exception {
        assertThat(read("idle", "wakeup\n").conditions().slug()).isEqualTo("idle-postgresql-15-rabbitmq-3.10");
    }

    @Test
    void what_a_consumer_needs_of_memory_has_no_chart() throws Exception {
        assertThat(Charts.of(read("consume", "contender,tenth,heap_bytes\n"))).isEmpty();
    }

    private RawData read(String command, String rows) throws Exception {
        Path file = folder.resolve(command + ".csv");
        Files.writeString(file, CONDITIONS.formatted(command) + rows);
        return RawData.read(file);
    }

    private static Document chart(RawData data) throws Exception {
        String svg = Charts.of(data).orElseThrow().svg(data.conditions());
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }

    private static List<String> texts(Document chart) {
        NodeList texts = chart.getElementsByTagName("text");
        return IntStream.range(0, texts.getLength())
                .mapToObj(text -> texts.item(text).getTextContent())
                .toList();
    }
}
