package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;

/** A publisher that is measured. It runs in a JVM of its own, which is new for every run. */
interface Contender {

    /** What it is called in the output, in one word. */
    String name();

    /** Makes ready what it will publish; not measured. */
    void prepare(long events) throws SQLException;

    /** Starts it: it publishes to the exchange {@link BenchQueue#EXCHANGE}. */
    JavaProcess start(long events) throws IOException;

    /** Whether nothing is left to be done once all messages are in the queue. */
    boolean isDone() throws SQLException;

    /** What it says about itself at the end of a run; for people to read. */
    String remarks(Duration drain);

    /** Ends it in order. */
    void stop(JavaProcess process) throws InterruptedException;
}
