package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;

/** A publisher that is measured. Each run has a new JVM. */
interface Contender {

    /** Its name in the output, one word. */
    String name();

    /** Prepares the messages to publish; not measured. */
    void prepare(long events) throws SQLException;

    /** Starts it: it publishes to the exchange {@link BenchQueue#EXCHANGE}. */
    JavaProcess start(long events) throws IOException;

    /** Whether nothing is left to be done once all messages are in the queue. */
    boolean isDone() throws SQLException;

    /** Its own figures at the end of a run, for people. */
    String remarks(Duration drain);

    /** Ends it in order. */
    void stop(JavaProcess process) throws InterruptedException;
}
