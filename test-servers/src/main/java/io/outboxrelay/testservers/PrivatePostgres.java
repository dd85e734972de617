package io.outboxrelay.testservers;

/** A PostgreSQL server that one test has for itself and may kill. One thread at a time calls it. */
public final class PrivatePostgres implements AutoCloseable {
    private final Postgres server;
    private final PrivateServer machinery;

    PrivatePostgres(Postgres server, PrivateServer machinery) {
        this.server = server;
        this.machinery = machinery;
    }

    /**
     * The server itself, for code that does not care that it is private.
     *
     * @return valid until {@link #close}
     */
    public Postgres server() {
        return server;
    }

    /**
     * What kind of server this is, for people to read.
     *
     * @return as {@link Postgres#name}
     */
    public String name() {
        return server.name();
    }

    /**
     * Creates an empty database with a name that nobody else has.
     *
     * @return the database; closing it drops it
     * @throws IllegalStateException when the server does not answer or refuses
     */
    public TestDatabase newDatabase() {
        return server.newDatabase();
    }

    /**
     * Ends all processes of the server with SIGKILL and waits until they are gone; nothing if it is down.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void kill() {
        machinery.kill();
    }

    /**
     * Asks the server to stop and waits until it has; nothing if it is down.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void stop() {
        machinery.stop();
    }

    /**
     * Starts the server again, on the same port with the same data, and waits until it answers; nothing if it runs.
     *
     * @throws IllegalStateException when it does not answer in time, with the end of its log
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void start() {
        machinery.start();
    }

    /**
     * Suspends all processes of the server: its sockets stay open and silent, new connections are not served.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void freeze() {
        machinery.freeze();
    }

    /**
     * Lets a frozen server run again.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void thaw() {
        machinery.thaw();
    }

    @Override
    public String toString() {
        return server.toString();
    }

    /** Kills the server, frozen or not, and removes its files. */
    @Override
    public void close() {
        machinery.close();
    }
}
