package io.outboxrelay.testservers;

/** The kinds of databases that tests run on: a test class with this as its parameter runs on each. */
public enum DatabaseKind {
    POSTGRESQL("jdbc:postgresql:"),
    MARIADB("jdbc:mariadb:");

    private final String scheme;

    DatabaseKind(String scheme) {
        this.scheme = scheme;
    }

    /**
     * The beginning of its JDBC URLs.
     *
     * @return with the colon
     */
    public String scheme() {
        return scheme;
    }

    /**
     * Creates an empty database on the server of this kind that the whole JVM shares.
     *
     * @return the database; closing it drops it
     * @throws IllegalStateException when there is no server or it refuses
     */
    public TestDatabase newDatabase() {
        return this == MARIADB
                ? Servers.mariaDb().newDatabase()
                : Servers.postgres().newDatabase();
    }

    /**
     * Starts a server of this kind that only the caller has, so that it may be killed.
     *
     * @return the running server
     * @throws IllegalStateException when no kind of server could be started
     */
    public PrivateDatabase startPrivate() {
        return this == MARIADB ? Servers.startPrivateMariaDb() : Servers.startPrivatePostgres();
    }
}
