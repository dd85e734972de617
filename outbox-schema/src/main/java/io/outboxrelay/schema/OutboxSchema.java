package io.outboxrelay.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;

/**
 * The outbox and inbox tables: in which database schema they lie and how many lanes they have. Immutable; nothing is
 * asked of a database before a method with a data source or a connection is called.
 */
public final class OutboxSchema {

    /** The version of the tables that this release installs and that its relay needs. */
    public static final int REQUIRED_VERSION = 4;

    /** The database schema when none is named. */
    public static final String DEFAULT_NAME = "public";

    /** The lanes of a new installation when no number is asked for. */
    public static final int DEFAULT_LANES = 8;

    /** The most lanes that an installation may have. */
    public static final int MAX_LANES = 1024;

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
    private static final String HISTORY_TABLE = "outbox_schema_history";
    private static final String LOCATION = "db/outbox/postgresql";
    private static final List<String> MIGRATIONS =
            List.of("V1__outbox_and_inbox.sql", "V2__roles.sql", "V3__failures.sql", "V4__retention.sql");
    private static final int OLDEST_POSTGRESQL = 14;
    private static final int NEWEST_POSTGRESQL = 18;

    private final String name;
    private final OptionalInt lanes;

    private OutboxSchema(String name, OptionalInt lanes) {
        this.name = name;
        this.lanes = lanes;
    }

    /**
     * The tables in the schema {@value #DEFAULT_NAME}, with {@value #DEFAULT_LANES} lanes where they are not installed
     * yet and with as many as they have where they are.
     *
     * @return the default description
     */
    public static OutboxSchema defaults() {
        return new OutboxSchema(DEFAULT_NAME, OptionalInt.empty());
    }

    /**
     * Installs the {@linkplain #defaults() default} tables, or brings them up to date. Installing again changes nothing.
     *
     * @param dataSource of a user who may create tables
     * @return what was there before and is there now
     * @throws OutboxSchemaException if it cannot be installed there; the message says why
     */
    public static Installation install(DataSource dataSource) {
        return defaults().installOn(dataSource);
    }

    /**
     * The same tables in another database schema, which is created if it is missing.
     *
     * @param name an identifier: lower-case letters, digits and underscores, at most 63 characters
     * @return the changed description
     * @throws IllegalArgumentException if the name is not such an identifier
     */
    public OutboxSchema withSchema(String name) {
        if (!IDENTIFIER.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" cannot be the schema of the outbox: use lower-case letters,"
                            + " digits and underscores, at most 63, not beginning with a digit");
        }
        return new OutboxSchema(name, lanes);
    }

    /**
     * The same tables with a number of lanes. It is fixed at the first installation: more lanes than relays and
     * processor cores will ever work in parallel have no use.
     *
     * @param lanes from 1 to {@value #MAX_LANES}
     * @return the changed description
     * @throws IllegalArgumentException if the number is outside that range
     */
    public OutboxSchema withLanes(int lanes) {
        if (lanes < 1 || lanes > MAX_LANES) {
            throw new IllegalArgumentException("An outbox cannot have " + lanes + " lanes: use 1 to " + MAX_LANES);
        }
        return new OutboxSchema(name, OptionalInt.of(lanes));
    }

    /**
     * The database schema in which the tables lie.
     *
     * @return a valid identifier
     */
    public String name() {
        return name;
    }

    /**
     * Installs these tables, or brings them up to date. Installing again changes nothing, and several installers at
     * once are fine. Takes at most two connections at a time.
     *
     * @param dataSource of a user who may create tables in the schema (and the schema, if it is missing). If the user may
     *     not create roles, those that are missing are left out with a warning in the log.
     * @return what was there before and is there now
     * @throws OutboxSchemaException if the database is not supported, if another number of lanes is installed than the
     *     one asked for, or if the database refuses
     */
    public Installation installOn(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            DatabaseMetaData database = connection.getMetaData();
            requireSupported(
                    database.getDatabaseProductName(),
                    database.getDatabaseMajorVersion(),
                    database.getDatabaseProductVersion());
            return installOneAtATime(connection, dataSource);
        } catch (SQLException | FlywayException e) {
            throw new OutboxSchemaException(
                    "The outbox cannot be installed in the schema " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * The installed version, as the database itself says.
     *
     * @param dataSource of any user
     * @return the version, or nothing if the tables are not there
     * @throws OutboxSchemaException if the database cannot be asked
     */
    public OptionalInt version(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            return version(connection);
        } catch (SQLException e) {
            throw new OutboxSchemaException("The version of the outbox in the schema " + name + " cannot be read", e);
        }
    }

    /**
     * The installed version, as the database itself says.
     *
     * @param connection of any user; its transaction is used and not ended
     * @return the version, or nothing if the tables are not there
     * @throws SQLException if the database cannot be asked
     */
    public OptionalInt version(Connection connection) throws SQLException {
        // Asked in two steps, so that a missing function is an answer and not an error that aborts the transaction.
        String function = name + ".outbox_schema_version()";
        if (queryForText(connection, "SELECT to_regprocedure('" + function + "')::text") == null) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(queryForInt(connection, "SELECT " + function));
    }

    /**
     * All migrations as one text with its own BEGIN and COMMIT, to be run by hand, for example by {@code psql -f}, on a
     * database without them. A later {@link #installOn} takes over from there.
     *
     * @return SQL for PostgreSQL
     */
    public String sql() {
        String migrations = MIGRATIONS.stream().map(OutboxSchema::resource).collect(Collectors.joining("\n"));
        for (Map.Entry<String, String> placeholder :
                placeholders(lanes.orElse(DEFAULT_LANES)).entrySet()) {
            migrations = migrations.replace("${" + placeholder.getKey() + "}", placeholder.getValue());
        }
        return "BEGIN;\n\nCREATE SCHEMA IF NOT EXISTS " + name + ";\n\n" + migrations + "\nCOMMIT;\n";
    }

    /**
     * Flyway has a lock of its own, but two of them may both find that there is no history table yet. The connection here
     * holds a lock, in a transaction, while Flyway works on another one.
     */
    private Installation installOneAtATime(Connection connection, DataSource dataSource) throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try {
            queryForText(connection, "SELECT pg_advisory_xact_lock(hashtext('outbox schema " + name + "'))::text");
            OptionalInt before = version(connection);
            int count = before.isPresent() ? requireLanes(installedLanes(connection)) : lanes.orElse(DEFAULT_LANES);
            if (before.orElse(0) < REQUIRED_VERSION) {
                migrate(dataSource, before.orElse(0), count);
            }
            // A new transaction sees what Flyway has done, whatever isolation is the default.
            connection.rollback();
            int version = version(connection).orElse(0);
            return new Installation(name, before.orElse(0), version, installedLanes(connection));
        } finally {
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        }
    }

    private void migrate(DataSource dataSource, int before, int count) {
        Flyway.configure(OutboxSchema.class.getClassLoader())
                .dataSource(dataSource)
                // Two connections would be needed for a lock that is held already.
                .configuration(Map.of("flyway.postgresql.transactional.lock", "false"))
                .locations("classpath:" + LOCATION)
                .failOnMissingLocations(true)
                .table(HISTORY_TABLE)
                .defaultSchema(name)
                .createSchemas(true)
                // The schema may hold the service's own tables, and ours if sql() was run by hand.
                .baselineOnMigrate(true)
                .baselineVersion(Integer.toString(before))
                .placeholders(placeholders(count))
                .load()
                .migrate();
    }

    static void requireSupported(String product, int majorVersion, String version) {
        if (!product.equals("PostgreSQL") || majorVersion < OLDEST_POSTGRESQL || majorVersion > NEWEST_POSTGRESQL) {
            throw new OutboxSchemaException("The outbox cannot be installed on " + product + " " + version
                    + ": it needs PostgreSQL " + OLDEST_POSTGRESQL + " to " + NEWEST_POSTGRESQL);
        }
    }

    private int requireLanes(int installed) {
        if (lanes.isPresent() && lanes.getAsInt() != installed) {
            throw new OutboxSchemaException("The outbox in the schema " + name + " has " + installed + " lanes, but "
                    + lanes.getAsInt() + " are asked for: the number is fixed when it is installed, ask for "
                    + installed
                    + " or leave it out");
        }
        return installed;
    }

    private int installedLanes(Connection connection) throws SQLException {
        return queryForInt(connection, "SELECT count(*) FROM " + name + ".outbox_lane");
    }

    private Map<String, String> placeholders(int count) {
        return Map.of("schema", name, "lanes", Integer.toString(count));
    }

    private static int queryForInt(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static @Nullable String queryForText(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static String resource(String migration) {
        try (InputStream text = OutboxSchema.class.getClassLoader().getResourceAsStream(LOCATION + "/" + migration)) {
            if (text == null) {
                throw new OutboxSchemaException("The migration " + LOCATION + "/" + migration
                        + " is missing from the class path: the jar of outbox-schema is incomplete");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("The migration " + LOCATION + "/" + migration + " cannot be read", e);
        }
    }
}
