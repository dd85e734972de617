package io.outboxrelay.relay;

import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.operations.Meters;
import io.outboxrelay.relay.operations.OperationsServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of the process: starts the relay, waits for a signal to stop, drains.
 *
 * <p>The calling thread does all of it. A signal makes the Java runtime call the shutdown hook, which tells that thread
 * to stop and waits for it. Then the hook ends the process itself, because a runtime that ends by a signal would report
 * 143 instead of success.
 */
final class Daemon {

    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
    /** Time for closing after the grace period of draining. */
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final Configuration configuration;
    private final CompletableFuture<Integer> stopped = new CompletableFuture<>();
    private final CountDownLatch ended = new CountDownLatch(1);

    Daemon(Configuration configuration) {
        this.configuration = configuration;
    }

    /** {@return the exit status, after the relay has drained} */
    int run() throws InterruptedException {
        Thread.setDefaultUncaughtExceptionHandler(this::uncaught);
        Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndHalt, "drain"));
        try {
            return runUntilStopped();
        } catch (RuntimeException | Error e) {
            stopped.complete(1);
            throw e;
        } finally {
            ended.countDown();
        }
    }

    private int runUntilStopped() throws InterruptedException {
        try (Meters meters = new Meters(Main.Version.number())) {
            Relay relay = new Relay(configuration, meters.registry());
            try (OperationsServer http = new OperationsServer(
                    configuration.http(), meters, () -> stopped.isDone() ? List.of() : relay.health())) {
                http.start();
                LOG.info("Version {}; health and metrics on port {}", Main.Version.number(), http.port());
                try {
                    relay.start();
                    return stopped.join();
                } finally {
                    relay.drain();
                }
            }
        }
    }

    private void stopAndHalt() {
        stopped.complete(0);
        Duration most = configuration.gracePeriod().plus(CLOSING);
        boolean drained = false;
        try {
            drained = ended.await(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            LOG.error(Help.NOT_DRAINED, "Interrupted while draining", e);
        }
        if (!drained) {
            LOG.error(
                    Help.NOT_DRAINED,
                    "Not drained after {} s; the process ends. Its leases expire by themselves and no event is lost",
                    most.toSeconds());
        }
        Runtime.getRuntime().halt(drained ? stopped.join() : 1);
    }

    private void uncaught(Thread thread, Throwable failure) {
        LOG.error(Help.THREAD_DIED, "Thread {} died", thread.getName(), failure);
        if (failure instanceof Error) {
            stopped.complete(1);
        }
    }
}
