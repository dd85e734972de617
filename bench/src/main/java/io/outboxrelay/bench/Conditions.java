package io.outboxrelay.bench;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;

/**
 * Under what a measurement was made.
 *
 * @param values by name, in the order in which they are written
 */
record Conditions(Map<String, String> values) {

    /** How busy the machine was; known when the measurement has ended. */
    static final String OTHERS = "others";

    private static final String COMMAND = "command";
    private static final String DATE = "date";
    private static final String DATABASE = "database";
    private static final String BROKER = "broker";

    /**
     * Those of this moment and this machine.
     *
     * @param command that measures
     * @param servers that are measured; a broker that has not been started by now is none of them
     * @param settings of the command
     */
    static Conditions now(String command, Servers servers, String settings) throws IOException, SQLException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put(COMMAND, command);
        values.put(DATE, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        values.put(DATABASE, database(servers));
        values.put(BROKER, servers.hasBroker() ? broker(servers) : "no broker");
        values.put("java", Runtime.version().toString());
        values.put("processors", Runtime.getRuntime().availableProcessors() + processor());
        values.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        values.put("settings", settings);
        return new Conditions(values);
    }

    /** The command that measured. */
    String command() {
        return value(COMMAND);
    }

    /** When the measurement began, as in ISO 8601. */
    String date() {
        return value(DATE);
    }

    /** A name for files: the command, the database with its major version and the broker with its series. */
    String slug() {
        String servers = value(DATABASE).replaceAll("^(\\w+) (\\d+).*", "$1-$2") + "-"
                + value(BROKER).replaceAll("^(\\w+) (\\d+\\.\\d+).*", "$1-$2");
        return (command() + "-" + servers).toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    /** To be read beside a result. */
    List<String> lines() {
        return List.of(
                "%s, %s, Java %s".formatted(value(DATABASE), value(BROKER), value("java")),
                "processors: %s, %s".formatted(value("processors"), date()) + (hasEnded() ? ", " + value(OTHERS) : ""),
                "bench %s: %s".formatted(command(), value("settings")));
    }

    /** Whether the measurement came to its end. */
    boolean hasEnded() {
        return values.containsKey(OTHERS);
    }

    /** A line of the raw data for one of them. */
    static String comment(String name, String value) {
        return "# " + name + ": " + value;
    }

    private String value(String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    private static String database(Servers servers) throws SQLException {
        try (java.sql.Connection connection = servers.dataSource().getConnection()) {
            DatabaseMetaData metadata = connection.getMetaData();
            return metadata.getDatabaseProductName() + " " + metadata.getDatabaseProductVersion();
        }
    }

    private static String broker(Servers servers) throws IOException {
        try {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(servers.amqpUri());
            try (Connection connection = factory.newConnection("outbox-bench")) {
                Map<String, Object> properties = connection.getServerProperties();
                return properties.get("product") + " " + properties.get("version");
            }
        } catch (URISyntaxException | GeneralSecurityException | TimeoutException e) {
            throw new IOException("The broker does not answer: " + e.getMessage(), e);
        }
    }

    /** The name that Linux knows; nothing elsewhere. */
    private static String processor() throws IOException {
        Path known = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(known)) {
            return "";
        }
        return Files.readAllLines(known).stream()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .map(line -> " (" + line.substring(line.indexOf(':') + 1).strip() + ")")
                .orElse("");
    }
}
