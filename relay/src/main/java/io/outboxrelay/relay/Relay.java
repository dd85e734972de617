package io.outboxrelay.relay;

import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.operations.OperationsServer.SourceHealth;
import io.outboxrelay.relay.source.Source;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running daemon: one part for each source, isolated from each other. */
final class Relay {

    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private final Configuration configuration;
    private final List<Source> sources;

    Relay(Configuration configuration, MeterRegistry meters) {
        this.configuration = configuration;
        this.sources = configuration.sources().stream()
                .map(source -> new Source(
                        source,
                        configuration.instance(),
                        configuration.broker(),
                        configuration.lane(),
                        configuration.failures(),
                        configuration.lease(),
                        configuration.poll(),
                        meters))
                .toList();
    }

    /**
     * Starts all sources.
     *
     * @throws io.outboxrelay.relay.database.Failures.UnavailableException if the schema of a source is missing or too
     *     old
     */
    void start() {
        sources.forEach(Source::start);
        LOG.info(
                "Relay {} started for {}",
                configuration.instance(),
                sources.stream().map(Source::name).toList());
    }

    /** Settles confirmed events, releases the leases, and closes everything, within the grace period. */
    void drain() {
        LOG.info(
                "Relay {} is draining, for at most {} s",
                configuration.instance(),
                configuration.gracePeriod().toSeconds());
        long deadline = System.nanoTime() + configuration.gracePeriod().toNanos();
        List<Thread> drains = sources.stream()
                .map(source -> new Thread(() -> source.drain(deadline), source.name() + "-drain"))
                .toList();
        drains.forEach(Thread::start);
        try {
            for (Thread drain : drains) {
                drain.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        LOG.info("Relay {} stopped", configuration.instance());
    }

    /** {@return the health of each source, in the order of the configuration} */
    List<SourceHealth> health() {
        return sources.stream()
                .map(source -> source.trouble()
                        .map(trouble -> new SourceHealth(source.name(), false, trouble))
                        .orElseGet(() -> new SourceHealth(
                                source.name(),
                                true,
                                Count.of(source.ownedLanes(), "lane") + " owned by this relay"
                                        + (source.isPaused() ? ", paused" : "")
                                        + (source.parkedEvents() == 0
                                                ? ""
                                                : ", " + Count.of(source.parkedEvents(), "event") + " parked")
                                        + source.stuck()
                                                .map(routes -> ", stuck: " + routes)
                                                .orElse(""))))
                .toList();
    }
}
