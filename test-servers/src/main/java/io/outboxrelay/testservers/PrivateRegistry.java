package io.outboxrelay.testservers;

import java.net.URI;

/**
 * A schema registry that one test has for itself and may kill; it speaks Confluent's REST interface. One thread at a
 * time calls it.
 */
public final class PrivateRegistry implements AutoCloseable {
    private final URI url;
    private final ServerProcess process;

    PrivateRegistry(URI url, ServerProcess process) {
        this.url = url;
        this.process = process;
    }

    /**
     * Where the interface is, which has {@code /subjects} below it.
     *
     * @return the same after a restart
     */
    public URI url() {
        return url;
    }

    /** Ends the process with SIGKILL and waits until it is gone; nothing if it is down. */
    public void kill() {
        process.kill();
    }

    /**
     * Starts it again, on the same port with the same data, and waits until it answers; nothing if it runs.
     *
     * @throws IllegalStateException when it does not answer in time, with the end of its log
     */
    public void start() {
        process.start();
    }

    /** Suspends the process: its sockets stay open and silent. */
    public void freeze() {
        process.freeze();
    }

    /** Lets a frozen one run again. */
    public void thaw() {
        process.thaw();
    }

    @Override
    public String toString() {
        return process.toString();
    }

    /** Kills it, frozen or not, and removes its files. */
    @Override
    public void close() {
        process.close();
    }
}
