package io.outboxrelay.testservers;

/** A database server that one test has for itself and may kill. One thread at a time calls it. */
public interface PrivateDatabase extends AutoCloseable {

    /**
     * What kind of server this is, for people to read.
     *
     * @return such as {@code postgresql-container}, {@code mariadb-10.11.6}
     */
    String name();

    /**
     * Creates an empty database with a name that nobody else has.
     *
     * @return the database; closing it drops it
     * @throws IllegalStateException when the server does not answer or refuses
     */
    TestDatabase newDatabase();

    /** Ends all processes of the server with SIGKILL and waits until they are gone; nothing if it is down. */
    void kill();

    /** Asks the server to stop and waits until it has; nothing if it is down. */
    void stop();

    /**
     * Starts the server again, on the same port with the same data, and waits until it answers; nothing if it runs.
     *
     * @throws IllegalStateException when it does not answer in time, with the end of its log
     */
    void start();

    /** Suspends all processes of the server: its sockets stay open and silent, new connections are not served. */
    void freeze();

    /** Lets a frozen server run again. */
    void thaw();

    /** Kills the server, frozen or not, and removes its files. */
    @Override
    void close();
}
