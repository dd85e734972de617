package io.outboxrelay.testservers;

/**
 * A database server that one test has for itself and may kill. One thread at a time calls it.
 *
 * @param <S> the kind of server
 */
public final class PrivateServer<S extends DatabaseServer> implements AutoCloseable {
    private final S server;
    private final ServerControl control;

    PrivateServer(S server, ServerControl control) {
        this.server = server;
        this.control = control;
    }

    /**
     * The server itself, for code that does not care that it is private.
     *
     * @return valid until {@link #close}
     */
    public S server() {
        return server;
    }

    /**
     * Kind and version of the server, for people to read.
     *
     * @return as {@link DatabaseServer#name}
     */
    public String name() {
        return server.name();
    }

    /**
     * Creates an empty database, as {@link DatabaseServer#newDatabase} does.
     *
     * @return the database; closing it drops it
     */
    public TestDatabase newDatabase() {
        return server.newDatabase();
    }

    /** Ends all processes of the server with SIGKILL and waits until they are gone; nothing if it is down. */
    public void kill() {
        control.kill();
    }

    /** Asks the server to stop and waits until it has; nothing if it is down. */
    public void stop() {
        control.stop();
    }

    /**
     * Starts the server again, on the same port with the same data, and waits until it answers; nothing if it runs.
     *
     * @throws IllegalStateException when it does not answer in time, with the end of its log
     */
    public void start() {
        control.start();
    }

    /** Suspends all processes of the server: its sockets stay open and silent, new connections are not served. */
    public void freeze() {
        control.freeze();
    }

    /** Resumes a frozen server. */
    public void thaw() {
        control.thaw();
    }

    @Override
    public String toString() {
        return server.toString();
    }

    /** Kills the server, frozen or not, and removes its files. */
    @Override
    public void close() {
        control.close();
    }
}
