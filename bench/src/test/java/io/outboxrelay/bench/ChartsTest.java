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
            %s# others: other programs used 3 %% of the machine
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
                        "processors: 2 (<fast> & cheap), 2026-12-01T18:00:00Z, other programs used 3 % of the machine",
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
    void sources_have_a_bar_for_each_number_of_them() throws Exception {
        RawData data = read("sources", """
                what,round,resident_mb,threads,connections,relay_percent,rate
                idle-1,1,100.0000,40,5,0.5000,0
                idle-10,1,110.0000,90,50,3.0000,0
                beside-dead,1,0,0,0,0,9000.0000
                """);

        assertThat(texts(chart(data)))
                .contains("sources: 1", "100", "sources: 10", "110")
                .doesNotContain("9000");
    }

    @Test
    void a_backlog_has_a_bar_for_its_first_and_its_last_tenth() throws Exception {
        RawData data = read("backlog", """
                events,dead_rows,round,tenth,rate,resident_mb,claim_ms
                1000,0,1,1,9000.0000,100.0000,2.0000
                1000,0,1,2,9900.0000,100.0000,2.0000
                1000,500,1,10,8000.0000,100.0000,2.0000
                """);

        assertThat(texts(chart(data)))
                .contains("1000, first tenth", "9,000", "1000 behind 500, last tenth", "8,000")
                .doesNotContain("9,900");
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
        Files.writeString(file, CONDITIONS.formatted(command, rows));
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
