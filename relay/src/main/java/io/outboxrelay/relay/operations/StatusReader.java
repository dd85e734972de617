package io.outboxrelay.relay.operations;

import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.OptionalInt;
import javax.sql.DataSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** Looks into a source's database as it is now. It needs no more than the rights of the role {@code outbox_relay}. */
final class StatusReader {

    private final SourceSettings source;

    StatusReader(SourceSettings source) {
        this.source = source;
    }

    /** What the database shows; a database that does not answer is an answer too. */
    SourceStatus read() {
        try (Connection connection =
                DirectConnections.to(source, source.user(), source.password()).getConnection()) {
            return read(connection);
        } catch (SQLException e) {
            return SourceStatus.unreachable(source.name(), "The database does not answer: " + DatabaseMessage.of(e));
        }
    }

    private SourceStatus read(Connection connection) throws SQLException {
        OptionalInt version =
                OutboxSchema.defaults().withSchema(source.schema()).version(connection);
        if (version.isEmpty()) {
            return SourceStatus.notUsable(
                    source.name(),
                    null,
                    "There is no outbox in the schema %s. Install it by the command migrate."
                            .formatted(source.schema()));
        }
        if (version.getAsInt() < OutboxSchema.REQUIRED_VERSION) {
            return SourceStatus.notUsable(
                    source.name(),
                    version.getAsInt(),
                    "The outbox has version %d, this relay needs %d. Bring it up to date by the command migrate."
                            .formatted(version.getAsInt(), OutboxSchema.REQUIRED_VERSION));
        }
        try {
            DataSource connections = new SingleConnectionDataSource(connection, true);
            Overview overview = source.dialect().overview(source.schema(), connections);
            return new SourceStatus(source.name(), true, null, version.getAsInt(), overview);
        } catch (DataAccessException e) {
            return SourceStatus.notUsable(
                    source.name(), version.getAsInt(), "The outbox cannot be read: " + DatabaseMessage.of(e));
        }
    }
}
