package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

@Tag("server")
class ChoiceTest {
    private static final Choice.Way<String> NO_ENGINE = () -> {
        throw new IOException("no engine");
    };
    private static final Choice.Way<String> NOTHING_INSTALLED = () -> {
        throw new IOException("nothing installed");
    };

    @Test
    void takes_the_first_kind_that_works_and_reports_once_which_and_why() {
        Logger logger = (Logger) LoggerFactory.getLogger(Choice.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try {
            Choice choice = new Choice("The shared broker", List.of(ServerKind.CONTAINERS, ServerKind.INSTALLED));
            String taken =
                    choice.take(Map.of(ServerKind.CONTAINERS, NO_ENGINE, ServerKind.INSTALLED, () -> "rabbitmq-3.10"));

            assertThat(taken).isEqualTo("rabbitmq-3.10");
            assertThat(log.list)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .containsExactly("The shared broker is rabbitmq-3.10, not containers: no engine");
        } finally {
            logger.detachAppender(log);
        }
    }

    @Test
    void when_no_kind_works_the_error_lists_all_attempts_and_their_errors() {
        Choice choice = new Choice("The shared broker", List.of(ServerKind.CONTAINERS, ServerKind.INSTALLED));

        assertThatThrownBy(() ->
                        choice.take(Map.of(ServerKind.CONTAINERS, NO_ENGINE, ServerKind.INSTALLED, NOTHING_INSTALLED)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("NO SERVER")
                .hasMessageContaining("- containers: no engine")
                .hasMessageContaining("- installed: nothing installed")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(2));
    }

    @Test
    void a_forced_kind_is_the_only_one_tried() {
        assertThat(ServerKind.forced("installed", "embedded")).contains(ServerKind.INSTALLED);
        assertThat(ServerKind.forced(null, "embedded")).contains(ServerKind.EMBEDDED);
        assertThat(ServerKind.forced(null, null)).isEmpty();
        assertThatThrownBy(() -> ServerKind.forced("docker", null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'docker'")
                .hasMessageContaining("containers, installed, embedded");
    }
}
