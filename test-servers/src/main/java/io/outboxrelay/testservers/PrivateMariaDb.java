package io.outboxrelay.testservers;

/** A MariaDB or MySQL server that one test has for itself and may kill. One thread at a time calls it. */
public final class PrivateMariaDb implements PrivateDatabase {
    private final MariaDb server;
    private final PrivateServer machinery;

    PrivateMariaDb(MariaDb server, PrivateServer machinery) {
        this.server = server;
        this.machinery = machinery;
    }

    /**
     * The server itself, for code that does not care that it is private.
     *
     * @return valid until {@link #close}
     */
    public MariaDb server() {
        return server;
    }

    @Override
    public String name() {
        return server.name();
    }

    @Override
    public TestDatabase newDatabase() {
        return server.newDatabase();
    }

    @Override
    public void kill() {
        machinery.kill();
    }

    @Override
    public void stop() {
        machinery.stop();
    }

    @Override
    public void start() {
        machinery.start();
    }

    @Override
    public void freeze() {
        machinery.freeze();
    }

    @Override
    public void thaw() {
        machinery.thaw();
    }

    @Override
    public String toString() {
        return server.toString();
    }

    @Override
    public void close() {
        machinery.close();
    }
}
