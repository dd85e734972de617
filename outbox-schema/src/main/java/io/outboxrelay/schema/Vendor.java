package io.outboxrelay.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.OptionalInt;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** What differs between databases when an outbox is installed. Holds no state. */
interface Vendor {

    /** Where on the class path the migrations lie. */
    String location();

    /** What decides about the meaning of the statements of an installation. */
    Pin pin();

    /**
     * What a schema is called in the database.
     *
     * @param schema as it was given
     * @param connection to look at
     * @return its name there
     */
    String resolve(String schema, Connection connection) throws SQLException;

    /** Waits until no one else installs into the schema, until {@link #unlock} or the end of the connection. */
    void lock(Connection connection, String schema) throws SQLException;

    /** Lets others install. */
    void unlock(Connection connection, String schema) throws SQLException;

    /**
     * Makes sure that no stranger has laid out what an installation would trust, such as a history table with a
     * trigger.
     *
     * @throws OutboxSchemaException if one has; names the objects and who owns them
     */
    void refuseForeignObjects(Connection connection, String schema) throws SQLException;

    /** Returns the installed version, or nothing. A missing outbox is an answer and never aborts a transaction. */
    OptionalInt version(Connection connection, String schema) throws SQLException;

    /** Returns the number of lanes that are installed, or of those that an interrupted installation has begun with. */
    OptionalInt lanes(Connection connection, String schema) throws SQLException;

    /** What the migrations have to be told. */
    Map<String, String> placeholders(String schema, int lanes);

    /** Runs the migrations and what goes with them. */
    void migrate(FluentConfiguration flyway, Connection connection, String schema) throws SQLException;

    /**
     * Makes one text of all migrations.
     *
     * @param schema as it was given
     * @param migrations with all placeholders replaced
     */
    String script(String schema, String migrations);
}
