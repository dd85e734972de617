package io.outboxrelay.relay.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.lane.LogKeys;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

class JsonLinesTest {

    private final Logger log = (Logger) LoggerFactory.getLogger(JsonLinesTest.class);
    private final ListAppender<ILoggingEvent> written = new ListAppender<>();

    @Test
    void a_line_is_an_object_with_an_iso_time_and_the_fields_of_thread_and_message() throws Exception {
        written.start();
        log.addAppender(written);
        MDC.put(LogKeys.SOURCE, "orders");
        try {
            log.atWarn()
                    .addKeyValue(LogKeys.EVENT_ID, 4711)
                    .addKeyValue(LogKeys.REASON, "unroutable")
                    .setCause(new IllegalStateException("no queue"))
                    .log("event {} was not\npublished", "\"4711\"");
        } finally {
            MDC.remove(LogKeys.SOURCE);
            log.detachAppender(written);
        }

        String line = new String(new JsonLines().encode(written.list.get(0)), StandardCharsets.UTF_8);

        assertThat(line).endsWith("}\n").hasLineCount(1);
        JsonNode json = new ObjectMapper().readTree(line);
        assertThat(json.get("time").asText()).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
        assertThat(OffsetDateTime.parse(json.get("time").asText()).getOffset()).isEqualTo(ZoneOffset.UTC);
        assertThat(json.get("level").asText()).isEqualTo("WARN");
        assertThat(json.get("message").asText()).isEqualTo("event \"4711\" was not\npublished");
        assertThat(json.get("source").asText()).isEqualTo("orders");
        assertThat(json.get("event_id").asText()).isEqualTo("4711");
        assertThat(json.get("reason").asText()).isEqualTo("unroutable");
        assertThat(json.get("logger").asText()).isEqualTo(JsonLinesTest.class.getName());
        assertThat(json.get("exception").asText()).startsWith("java.lang.IllegalStateException: no queue");
    }
}
