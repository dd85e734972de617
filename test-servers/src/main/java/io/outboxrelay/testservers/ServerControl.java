package io.outboxrelay.testservers;

/** What can be done to a server that one test has for itself, whatever kind it is. */
interface ServerControl extends AutoCloseable {
    /** Starts it again on the same port with the same data and waits until it answers; nothing if it is running. */
    void start();

    /** Asks it to stop and waits until it has. */
    void stop();

    /** Ends all its processes at once, as a loss of power would, and waits until they are gone. */
    void kill();

    /** Stops all its processes from running; its sockets stay open and silent. */
    void freeze();

    /** Lets its processes run again. */
    void thaw();

    /** Kills it and removes its files. */
    @Override
    void close();
}
