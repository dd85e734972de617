package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One database whose outbox is relayed.
 *
 * @param name name of the source in logs, metrics and commands
 * @param url JDBC URL
 * @param user database user
 * @param password the user's password; empty for none
 * @param schema database schema that holds the outbox
 * @param poolSize maximum number of database connections
 * @param statementTimeout maximum time of one statement
 * @param wakeup what ends the wait for events besides {@code poll.max}
 * @param retain how long published events are kept for a replay; null when they are deleted at once
 * @param schemas which schemas its events may have
 */
public record SourceSettings(
        String name,
        String url,
        String user,
        String password,
        String schema,
        int poolSize,
        Duration statementTimeout,
        Wakeup wakeup,
        @Nullable Duration retain,
        GateSettings schemas) {

    /** A database whose events may have any schema. */
    public SourceSettings(
            String name,
            String url,
            String user,
            String password,
            String schema,
            int poolSize,
            Duration statementTimeout,
            Wakeup wakeup,
            @Nullable Duration retain) {
        this(name, url, user, password, schema, poolSize, statementTimeout, wakeup, retain, GateSettings.OFF);
    }

    /**
     * Returns the kind of database.
     *
     * @throws IllegalArgumentException when the relay does not know it
     */
    public Dialect dialect() {
        return login().dialect();
    }

    /** {@return the database and its user} */
    public DatabaseLogin login() {
        return new DatabaseLogin(name, url, user, password, schema);
    }

    /** What ends the wait for events. */
    public enum Wakeup {
        /** Nothing: the relay polls at least every {@code poll.max}. */
        NONE,
        /** A notification of the database, if the owner of the tables has turned notifications on. */
        NOTIFY
    }

    /** Returns the URL without its parameters, among which there may be secrets. */
    public String address() {
        return login().address();
    }

    @Override
    public String toString() {
        return "SourceSettings[name=%s, url=%s, user=%s, schema=%s]".formatted(name, address(), user, schema);
    }
}
