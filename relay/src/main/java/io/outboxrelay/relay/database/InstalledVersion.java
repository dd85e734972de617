package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.OptionalInt;
import javax.sql.DataSource;

/** Makes sure, for a person's command, that the tables are there and new enough. */
public final class InstalledVersion {

    private InstalledVersion() {}

    /**
     * Asks for the version.
     *
     * @param schema database schema of the outbox
     * @param connections where to take one
     * @throws UnavailableException if there is none or it is too old, or the database does not answer
     */
    public static void require(String schema, DataSource connections) {
        OptionalInt version;
        try (Connection connection = connections.getConnection()) {
            version = OutboxSchema.defaults().withSchema(schema).version(connection);
        } catch (SQLException e) {
            throw new UnavailableException("The database does not answer: " + DatabaseMessage.of(e), e);
        }
        if (version.isEmpty()) {
            throw new UnavailableException(
                    "There is no outbox in the schema %s. Install it by the command migrate.".formatted(schema), null);
        }
        if (version.getAsInt() < OutboxSchema.REQUIRED_VERSION) {
            throw new UnavailableException(
                    "The outbox has version %d, this command needs %d. Bring it up to date by the command migrate."
                            .formatted(version.getAsInt(), OutboxSchema.REQUIRED_VERSION),
                    null);
        }
    }
}
