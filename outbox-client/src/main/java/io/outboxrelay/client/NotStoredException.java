package io.outboxrelay.client;

import java.io.Serial;
import java.sql.SQLException;

/**
 * The statement has failed that stores an event in the table {@code inbox_failure}. If the database answers otherwise,
 * it refuses the event, as too large for example.
 */
final class NotStoredException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    NotStoredException(SQLException cause) {
        super("The database cannot store the event: " + cause.getMessage(), cause);
    }
}
