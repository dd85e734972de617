package io.outboxrelay.relay;

import io.outboxrelay.relay.configuration.Configuration;
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
 * The life of the process: starts the relay, waits to be told to stop, drains.
 *
 * <p>The calling thread does all of it. A signal makes the Java runtime call the shutdown hook, which only tells that
 * thread to stop and waits for it; then it ends the process itself, because a runtime that ends by a signal would report
 * 143 and not that everything was drained.
 */
final class Daemon {

    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
    /** Closing what is left once draining has used up its grace period. */
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final Configuration configuration;
    private final CompletableFuture<Integer> toldToStop = new CompletableFuture<>();
    private final CountDownLatch ended = new CountDownLatch(1);

    Daemon(Configuration configuration) {
        this.configuration = configuration;
    }

    /** Returns the exit status once the relay has drained. */
    int run() throws InterruptedException {
        Thread.setDefaultUncaughtExceptionHandler(this::uncaught);
        Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndHalt, "drain"));
        try {
            return runUntilToldToStop();
        } catch (RuntimeException | Error e) {
            toldToStop.complete(1);
            throw e;
        } finally {
            ended.countDown();
        }
    }

    private int runUntilToldToStop() throws InterruptedException {
        try (Meters meters = new Meters(Version.number())) {
            Relay relay = new Relay(configuration, meters.registry());
            try (OperationsServer http = new OperationsServer(
                    configuration.http(), meters, () -> toldToStop.isDone() ? List.of() : relay.health())) {
                http.start();
                LOG.info("Version {}; health and metrics on port {}", Version.number(), http.port());
                try {
                    relay.start();
                    return toldToStop.join();
                } finally {
                    relay.drain();
                }
            }
        }
    }

    private void stopAndHalt() {
        toldToStop.complete(0);
        Duration most = configuration.gracePeriod().plus(CLOSING);
        boolean drained = false;
        try {
            drained = ended.await(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            LOG.error("Interrupted while draining", e);
        }
        if (!drained) {
            LOG.error(
                    "Not drained after {} s: the process ends; its leases run out by themselves and nothing is lost",
                    most.toSeconds());
        }
        Runtime.getRuntime().halt(drained ? toldToStop.join() : 1);
    }

    private void uncaught(Thread thread, Throwable failure) {
        LOG.error("Thread {} has died", thread.getName(), failure);
        if (failure instanceof Error) {
            toldToStop.complete(1);
        }
    }
}
