package io.outboxrelay.relay.database;

/**
 * A database, and the user who logs in to it.
 *
 * @param name its name in the configuration
 * @param url JDBC URL
 * @param user database user
 * @param password the user's password; empty for none
 * @param schema database schema that holds the tables of outbox and inbox
 */
public record DatabaseLogin(String name, String url, String user, String password, String schema) {

    /**
     * Returns the kind of database.
     *
     * @throws IllegalArgumentException when the relay does not know it
     */
    public Dialect dialect() {
        return Dialect.of(url)
                .orElseThrow(() -> new IllegalArgumentException("The relay does not know the database " + address()));
    }

    /** Returns the URL without its parameters, among which there may be secrets. */
    public String address() {
        return url.replaceFirst("\\?.*", "");
    }

    @Override
    public String toString() {
        return "DatabaseLogin[name=%s, url=%s, user=%s, schema=%s]".formatted(name, address(), user, schema);
    }
}
