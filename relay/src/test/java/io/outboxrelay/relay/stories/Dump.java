package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Dump and restore, as a person does it with {@code pg_dump} and {@code psql}. Where these are not installed, or are
 * too old for the server, the tables are installed and filled by the statements that {@code pg_dump} would have
 * written.
 */
final class Dump {

    private static final Pattern MAJOR_VERSION = Pattern.compile(" (\\d+)");
    private static final String COLUMNS =
            "position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at";

    private Dump() {}

    /** Fills an empty database, perhaps of another server, with what another one has. */
    static void restore(TestDatabase from, TestDatabase to, Path folder) throws Exception {
        if (programsFit(from)) {
            Path dump = folder.resolve("dump.sql");
            // Roles belong to a server and are not part of a database's dump.
            run(from, folder, "pg_dump", "--no-owner", "--no-privileges", "--file", dump.toString());
            run(to, folder, "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", dump.toString());
        } else {
            copy(from, to);
        }
    }

    private static boolean programsFit(TestDatabase database) throws InterruptedException {
        Integer server = new JdbcTemplate(database.dataSource())
                .queryForObject("SELECT current_setting('server_version_num')::int / 10000", Integer.class);
        try {
            Process version = new ProcessBuilder("pg_dump", "--version").start();
            Matcher major =
                    MAJOR_VERSION.matcher(new String(version.getInputStream().readAllBytes()));
            return version.waitFor() == 0
                    && server != null
                    && major.find()
                    && Integer.parseInt(major.group(1)) >= server;
        } catch (IOException e) {
            return false;
        }
    }

    private static void run(TestDatabase database, Path folder, String program, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(program, "--host", database.host(), "--port"));
        command.add(String.valueOf(database.port()));
        command.addAll(List.of("--username", database.user(), "--dbname", database.name()));
        command.addAll(List.of(options));
        Path log = folder.resolve(program + ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("PGPASSWORD", database.password());
        int status = builder.start().waitFor();
        assertThat(status).as("%s says: %s", program, Files.readString(log)).isZero();
    }

    private static void copy(TestDatabase from, TestDatabase to) throws SQLException, IOException {
        OutboxSchema.install(to.dataSource());
        ByteArrayOutputStream rows = new ByteArrayOutputStream();
        try (Connection source = from.dataSource().getConnection();
                Connection target = to.dataSource().getConnection()) {
            copies(source).copyOut("COPY (SELECT " + COLUMNS + " FROM outbox) TO STDOUT", rows);
            copies(target)
                    .copyIn("COPY outbox (" + COLUMNS + ") FROM STDIN", new ByteArrayInputStream(rows.toByteArray()));
        }
        Long last = new JdbcTemplate(from.dataSource())
                .queryForObject("SELECT last_value FROM outbox_position_seq", Long.class);
        new JdbcTemplate(to.dataSource()).queryForObject("SELECT setval('outbox_position_seq', ?)", Long.class, last);
    }

    private static CopyManager copies(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getCopyAPI();
    }
}
