package io.outboxrelay.client;

import java.util.List;
import java.util.Set;
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

    InboxEffects(Inbox inbox, String consumer, BatchHandler handler, Predicate<Throwable> transientToo) {
        this.inbox = inbox;
        this.failures = inbox.failures(consumer);
        this.consumer = consumer;
        this.handler = handler;
        this.transientToo = transientToo;
    }

    /** One try at something. */
    Attempt attempt() {
        return new Attempt(inbox, handler, transientToo);
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
        Result result = attempt.run(() -> inbox.process(consumer, taken, attempt::handle));
        if (result.fates().contains(Fate.WAITING)) {
            moveUp(IntStream.range(0, taken.size())
                    .filter(i -> result.fates().get(i) == Fate.WAITING)
                    .mapToObj(i -> Aggregate.of(taken.get(i).event()))
                    .collect(Collectors.toSet()));
        }
        return result;
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
    public void park(Taken taken, int attempts, boolean rejected, Throwable cause) {
        failures.park(taken.event(), taken.origin().queue(), attempts, rejected, cause);
    }

    @Override
    public void probe() {
        inbox.probe(consumer);
    }
}
