package io.outboxrelay.relay.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.LoggingEvent;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What services, brokers and registries name things reaches a person as one harmless line. */
class PrintableTest {

    private static final String HOSTILE =
            "a\r\n2026-01-01 ERROR Relay: all is lost\u001b[2J\u009b2J\u202egnp\u2028b\tc";

    // hazard 85
    @Test
    void a_text_of_others_is_one_line_without_commands_for_a_terminal() {
        assertThat(Printable.line(HOSTILE)).isEqualTo("a??2026-01-01 ERROR Relay: all is lost?[2J?2J?gnp?b?c");
        assertThat(Printable.lines("one\n\ttwo\u001b[31m\r")).isEqualTo("one\n\ttwo?[31m?");
        assertThat(Printable.line("Bestellung 4711 – größer als ½ €, 注文 🙂"))
                .isEqualTo("Bestellung 4711 – größer als ½ €, 注文 🙂");
    }

    // hazard 85
    @Test
    void a_message_of_the_log_stays_on_its_line() {
        String line = logged("parked: " + HOSTILE, null);

        assertThat(line.lines()).hasSize(1);
        assertThat(line)
                .contains("parked: a  2026-01-01 ERROR Relay")
                .doesNotContainPattern("[\\p{Cc}&&[^\\n]]|\u202e");
    }

    // hazard 85
    @Test
    void what_an_exception_says_begins_no_line_of_the_log() {
        String trace = logged("failed", new IllegalStateException(HOSTILE));

        assertThat(trace.lines().skip(2)).isNotEmpty().allMatch(line -> line.startsWith("\t"));
        assertThat(trace).contains("all is lost?[2J").doesNotContain("\u001b").doesNotContain("\u202e");
    }

    private static String logged(String message, Throwable thrown) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        PatternLayout layout = new PatternLayout();
        layout.setContext(context);
        layout.setPattern(Logging.PATTERN);
        layout.start();
        Logger logger = context.getLogger(PrintableTest.class);
        return layout.doLayout(new LoggingEvent("test", logger, Level.WARN, message, thrown, null));
    }
}
