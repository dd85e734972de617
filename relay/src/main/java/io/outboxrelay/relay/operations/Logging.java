package io.outboxrelay.relay.operations;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Destination and format of log messages. Each message is written before the call that logs it returns. */
public final class Logging {

    private static final String OURS = "io.outboxrelay";
    /** Followed by the name of a message's marker, see {@code Help}. */
    static final String HELP_PAGE = "docs/troubleshooting.md#";

    static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z', UTC} %-5level %logger{0}: " + Printable.MESSAGE
            + "%replace(%marker){'^(.+)$', ' (" + HELP_PAGE + "$1)'}%n" + Printable.EXCEPTION;
    private static final List<String> TOO_TALKATIVE = List.of(
            "com.rabbitmq.client.impl.ForgivingExceptionHandler",
            "com.rabbitmq.client.impl.SocketFrameHandler",
            "com.zaxxer.hikari.pool.PoolBase",
            "com.zaxxer.hikari.pool.ProxyConnection",
            "org.mariadb.jdbc.message.server.ErrorPacket",
            "org.springframework.transaction.support.TransactionTemplate");

    private Logging() {}

    /** The stream that messages go to. */
    public enum Stream {
        /** For the daemon, whose messages are its output. */
        OUT("System.out"),
        /** For commands whose output is a result. */
        ERR("System.err");

        private final String target;

        Stream(String target) {
            this.target = target;
        }
    }

    /**
     * Configures logging of the whole process.
     *
     * @param settings format and level
     * @param stream the destination
     */
    public static void start(LogSettings settings, Stream stream) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setTarget(stream.target);
        appender.setEncoder(encoder(context, settings.format()));
        appender.start();
        Level level = Level.valueOf(settings.level().name());
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
        context.getLogger(OURS).setLevel(level);
        // The relay itself reports lost connections and failed statements, at a bounded rate. The libraries would log
        // each of them with a stack trace, some as an error.
        TOO_TALKATIVE.forEach(logger -> context.getLogger(logger).setLevel(Level.OFF));
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, LogSettings.Format format) {
        if (format == LogSettings.Format.JSON) {
            JsonLines json = new JsonLines();
            json.setContext(context);
            json.start();
            return json;
        }
        PatternLayoutEncoder text = new PatternLayoutEncoder();
        text.setContext(context);
        text.setPattern(PATTERN);
        text.start();
        return text;
    }

    /**
     * Which messages are logged, in which format.
     *
     * @param format lines for people or JSON for machines
     * @param level the least severe level of the relay's own messages; those of its libraries are logged from WARN on
     */
    public record LogSettings(Format format, Level level) {

        /** The format of one message. */
        public enum Format {
            /** Time, level and message. */
            TEXT,
            /** One JSON object a line. */
            JSON
        }

        /** From the most to the fewest messages. */
        public enum Level {
            TRACE,
            DEBUG,
            INFO,
            WARN,
            ERROR
        }
    }
}
