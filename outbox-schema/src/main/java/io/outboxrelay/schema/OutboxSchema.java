package io.outboxrelay.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * The outbox and inbox tables: in which database schema they lie and how many lanes they have. Immutable; nothing is
 * asked of a database before a method with a data source or a connection is called.
 *
 * <p>In MariaDB and MySQL, where a schema is a database, {@value #DEFAULT_NAME} stands for the database that a
 * connection is in.
 */
public final class OutboxSchema {

    /** The version of the tables that this release installs. */
    public static final int VERSION = 5;

    /**
     * The oldest version of the tables that this release's relay can use. Version 5 added tables for consumers only.
     */
    public static final int REQUIRED_VERSION = 4;

    /** The database schema when none is named. */
    public static final String DEFAULT_NAME = "public";

    /** The lanes of a new installation when no number is asked for. */
    public static final int DEFAULT_LANES = 8;

    /** The most lanes that an installation may have. */
    public static final int MAX_LANES = 1024;

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
    /** Where a statement of a migration failed, as Flyway says. */
    private static final Pattern PLACE =
            Pattern.compile("Location\\s*: \\S*?([^/\\s]+\\.sql)[\\s\\S]*?Line\\s*: (\\d+)");

    static final String HISTORY_TABLE = "outbox_schema_history";
    private static final List<String> MIGRATIONS = List.of(
            "V1__outbox_and_inbox.sql",
            "V2__roles.sql",
            "V3__failures.sql",
            "V4__retention.sql",
            "V5__inbox_failures.sql");
    /** MariaDB and MySQL came later, and began with what the others had then. */
    private static final List<String> LATER_MIGRATIONS = List.of("V4__tables.sql", "V5__inbox_failures.sql");

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
     * Installs the {@linkplain #defaults() default} tables, or brings them up to date. Installing again changes
     * nothing.
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
     * once are fine. Takes at most two connections at a time, and gives them back with the settings that they came
     * with. Not for a pooler that lends its connections for one transaction: what is set on a session would not stay
     * with it.
     *
     * @param dataSource of a user who may create tables in the schema (and the schema, if it is missing). If the user
     *     may not create roles, those that are missing are left out with a warning in the log.
     * @return what was there before and is there now
     * @throws OutboxSchemaException if the database is not supported, if another number of lanes is installed than the
     *     one asked for, or if the database refuses
     */
    public Installation installOn(DataSource dataSource) {
        try {
            Vendor vendor = vendor(dataSource);
            DataSource pinned = new PinnedConnections(dataSource, vendor.pin());
            try (Connection connection = pinned.getConnection()) {
                return installOneAtATime(vendor, connection, pinned);
            }
        } catch (SQLException | FlywayException e) {
            throw refused(e);
        }
    }

    private static Vendor vendor(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return SqlDialect.of(connection).vendor();
        }
    }

    /** In the database's words: around them Flyway has many, about options that nobody can set here among others. */
    private OutboxSchemaException refused(Exception failure) {
        Exception speaker = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            speaker = cause instanceof SQLException database ? database : speaker;
        }
        String reason = String.valueOf(speaker.getMessage()).strip().replaceAll("\\s*\\R\\s*", "; ");
        if (speaker instanceof SQLException database && database.getSQLState() != null) {
            reason += " (SQLSTATE " + database.getSQLState() + ")";
        }
        return new OutboxSchemaException(
                "The outbox cannot be installed in the schema " + name + place(String.valueOf(failure.getMessage()))
                        + ": " + reason,
                speaker);
    }

    private static String place(String flyway) {
        Matcher place = PLACE.matcher(flyway);
        return place.find() ? " (" + place.group(1) + ", line " + place.group(2) + ")" : "";
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
        Vendor vendor = SqlDialect.ofAnyVersion(connection).vendor();
        return vendor.version(connection, vendor.resolve(name, connection));
    }

    /**
     * All migrations as one text with its own BEGIN and COMMIT, to be run by hand, for example by {@code psql -f}, on a
     * database without them. A later {@link #installOn} takes over from there.
     *
     * @return SQL for PostgreSQL
     */
    public String sql() {
        return sql(SqlDialect.POSTGRESQL);
    }

    /**
     * All migrations as one text, to be run by hand on a database without them. A later {@link #installOn} takes over
     * from there. For MariaDB and MySQL without a schema of its own, the text is for the current database and makes no
     * roles.
     *
     * @param dialect for which kind of database
     * @return SQL of that kind
     */
    public String sql(SqlDialect dialect) {
        Vendor vendor = dialect.vendor();
        String migrations = (dialect == SqlDialect.POSTGRESQL ? MIGRATIONS : LATER_MIGRATIONS)
                .stream()
                        .map(migration -> resource(vendor.location() + "/" + migration))
                        .collect(Collectors.joining("\n"));
        return vendor.script(name, replace(migrations, vendor.placeholders(name, lanes.orElse(DEFAULT_LANES))));
    }

    static String replace(String text, Map<String, String> placeholders) {
        String replaced = text;
        for (Map.Entry<String, String> placeholder : placeholders.entrySet()) {
            replaced = replaced.replace("${" + placeholder.getKey() + "}", placeholder.getValue());
        }
        return replaced;
    }

    /**
     * Flyway has a lock of its own, but two of them may both find that there is no history table yet. The connection
     * here holds a lock, in a transaction, while Flyway works on another one.
     */
    private Installation installOneAtATime(Vendor vendor, Connection connection, DataSource dataSource)
            throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        String schema = vendor.resolve(name, connection);
        try {
            vendor.lock(connection, schema);
            vendor.refuseForeignObjects(connection, schema);
            OptionalInt before = vendor.version(connection, schema);
            OptionalInt installed = vendor.lanes(connection, schema);
            int count = installed.isPresent() ? requireLanes(installed.getAsInt()) : lanes.orElse(DEFAULT_LANES);
            if (before.orElse(0) < VERSION) {
                FluentConfiguration flyway = flyway(vendor, dataSource, schema)
                        .baselineVersion(Integer.toString(before.orElse(0)))
                        .placeholders(vendor.placeholders(schema, count));
                vendor.migrate(flyway, connection, schema);
            }
            // A new transaction sees what Flyway has done, whatever isolation is the default.
            connection.rollback();
            int version = vendor.version(connection, schema).orElse(0);
            return new Installation(
                    schema,
                    before.orElse(0),
                    version,
                    vendor.lanes(connection, schema).orElse(0));
        } finally {
            vendor.unlock(connection, schema);
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        }
    }

    private static FluentConfiguration flyway(Vendor vendor, DataSource dataSource, String schema) {
        return Flyway.configure(OutboxSchema.class.getClassLoader())
                .dataSource(dataSource)
                .locations("classpath:" + vendor.location())
                .failOnMissingLocations(true)
                .table(HISTORY_TABLE)
                .defaultSchema(schema)
                .createSchemas(true)
                // The schema may hold the service's own tables, and ours if sql() was run by hand.
                .baselineOnMigrate(true);
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

    static String resource(String migration) {
        try (InputStream text = OutboxSchema.class.getClassLoader().getResourceAsStream(migration)) {
            if (text == null) {
                throw new OutboxSchemaException("The migration " + migration
                        + " is missing from the class path: the jar of outbox-schema is incomplete");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("The migration " + migration + " cannot be read", e);
        }
    }
}
