package io.outboxrelay.client;

import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The effects of a consumer in its real database. */
final class InboxEffects implements Effects {

    private static final Logger LOG = LoggerFactory.getLogger(InboxEffects.class);

    private final Inbox inbox;
    private final InboxFailures failures;
    private final String consumer;
    private final BatchHandler handler;
    private final Predicate<Throwable> transientToo;
    private final boolean setsAside;
    private final LongSupplier clock;
    private final FaultLog suspects = new FaultLog(LOG);

    /**
     * @param setsAside whether events that may have ended processes are handled apart
     * @param clock as {@link System#nanoTime}
     */
    InboxEffects(
            Inbox inbox,
            String consumer,
            BatchHandler handler,
            Predicate<Throwable> transientToo,
            boolean setsAside,
            LongSupplier clock) {
        this.clock = clock;
        this.setsAside = setsAside;
        this.inbox = inbox;
        this.failures = inbox.failures(consumer);
        this.consumer = consumer;
        this.handler = handler;
        this.transientToo = transientToo;
    }

    /** One try at something. */
    Attempt attempt() {
        return new Attempt(inbox, handler, transientToo, clock);
    }

    InboxFailures failures() {
        return failures;
    }

    @Override
    public Result handle(List<Taken> taken) {
        return handle(taken, attempt());
    }

    /** The same as one try of somebody who asks for what happened on the way. */
    Result handle(List<Taken> taken, Attempt attempt) {
        Result result = attempt.run(() ->
                setsAside(taken) ? List.of(setAside(taken.get(0))) : inbox.process(consumer, taken, attempt::handle));
        if (result.fates().contains(Fate.WAITING)) {
            moveUp(IntStream.range(0, taken.size())
                    .filter(i -> result.fates().get(i) == Fate.WAITING)
                    .mapToObj(i -> Aggregate.of(taken.get(i).event()))
                    .collect(Collectors.toSet()));
        }
        return result;
    }

    /** Nothing waits behind an event without an aggregate, so it may as well go to the dead letters. */
    private boolean setsAside(List<Taken> taken) {
        return setsAside
                && taken.size() == 1
                && taken.get(0).isSuspect()
                && !Aggregate.of(taken.get(0).event()).isNone();
    }

    /** Where it is stored, its attempts are counted before they are made. */
    private Fate setAside(Taken taken) {
        if (!failures.wait(taken.event(), taken.origin().queue())) {
            return Fate.DUPLICATE;
        }
        suspects.fault(
                "The consumer " + consumer + " stores " + taken.event() + " in the table inbox_failure and handles it"
                        + " from there",
                new IllegalStateException("it came back so often that it may have ended processes"));
        return Fate.WAITING;
    }

    private void moveUp(Set<Aggregate> aggregates) {
        try {
            failures.moveUp(aggregates);
        } catch (RuntimeException e) {
            // Everything has committed. What this should have found, the next look at all stored events finds.
            LOG.debug("The consumer {} could not look at the first stored events", consumer, e);
        }
    }

    @Override
    public Fate park(Taken taken, int attempts, boolean rejected, Throwable cause) {
        ReceivedEvent event = taken.event();
        Fate fate = failures.park(event, taken.origin().queue(), attempts, rejected, cause);
        if (fate == Fate.WAITING) {
            moveUp(Set.of(Aggregate.of(event)));
        }
        return fate;
    }

    @Override
    public void probe() {
        inbox.probe(consumer);
    }
}
