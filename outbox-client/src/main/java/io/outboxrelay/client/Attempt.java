package io.outboxrelay.client;

import io.outboxrelay.client.Effects.Failure;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.Effects.Result;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * One try to handle events in one transaction of the inbox, and whose fault it was if it failed. Used once, by one
 * thread, whose interrupt flag is down afterwards.
 */
final class Attempt {

    private enum Stage {
        BEFORE_THE_HANDLER,
        IN_THE_HANDLER,
        AFTER_THE_HANDLER
    }

    private final Inbox inbox;
    private final BatchHandler handler;
    private final Predicate<Throwable> transientToo;
    private final LongSupplier clock;
    private Stage stage = Stage.BEFORE_THE_HANDLER;
    private boolean connectionLost;
    private boolean interrupted;

    /**
     * @param transientToo says which other failures of the handler nobody is to blame for
     * @param clock as {@link System#nanoTime}
     */
    Attempt(Inbox inbox, BatchHandler handler, Predicate<Throwable> transientToo, LongSupplier clock) {
        this.clock = clock;
        this.inbox = inbox;
        this.handler = handler;
        this.transientToo = transientToo;
    }

    /** The transaction's work; calls back {@link #handle} for what is new. */
    @FunctionalInterface
    interface Work {

        List<Fate> run();
    }

    /**
     * Makes the attempt.
     *
     * @throws VirtualMachineError if nothing can be trusted any more; an overflow of the stack is a failure like others
     */
    Result run(Work work) {
        long began = clock.getAsLong();
        List<Fate> fates = List.of();
        Failure failure = null;
        try {
            fates = work.run();
        } catch (RuntimeException | StackOverflowError e) {
            failure = new Failure(faultOf(e), e);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Error e) {
            // An event that ended this consumer would, delivered again, end the next one too.
            failure = new Failure(faultOf(e), e);
        } finally {
            interrupted |= Thread.interrupted();
        }
        return new Result(fates, failure, clock.getAsLong() - began);
    }

    /** Whether the thread's interrupt flag was up during the attempt, which has taken it down. */
    boolean wasInterrupted() {
        return interrupted;
    }

    /** Called inside of the transaction. */
    void handle(List<ReceivedEvent> events) {
        stage = Stage.IN_THE_HANDLER;
        try {
            handler.handle(events);
            if (Thread.interrupted()) {
                interrupted = true;
                throw new IllegalStateException(
                        "The handler returned with the interrupt flag set: it may have stopped half-way");
            }
            stage = Stage.AFTER_THE_HANDLER;
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            // Only an unchecked exception rolls the transaction back.
            throw new IllegalStateException("The handler failed: " + e, e);
        } finally {
            if (stage == Stage.IN_THE_HANDLER) {
                // A raised flag could disturb the rollback and what comes after it.
                interrupted |= Thread.interrupted();
                connectionLost = !inbox.connectionAnswers();
            }
        }
    }

    /**
     * What the handler throws says nothing about the inbox's connection, which was asked. What comes before and after
     * the handler is the inbox's own doing.
     */
    private Fault faultOf(Throwable failed) {
        if (Causes.sayContention(failed)) {
            return Fault.CONTENTION;
        }
        if (stage == Stage.BEFORE_THE_HANDLER && Causes.sayRefusal(failed)) {
            return Fault.REFUSED;
        }
        boolean database = switch (stage) {
            case BEFORE_THE_HANDLER -> true;
            case IN_THE_HANDLER -> connectionLost;
            case AFTER_THE_HANDLER -> Causes.sayConnectionLoss(failed);
        };
        if (database) {
            return Fault.DATABASE;
        }
        if (Causes.sayRejection(failed)) {
            return Fault.REJECTED;
        }
        return Causes.sayTransient(failed, transientToo) ? Fault.TRANSIENT : Fault.HANDLER;
    }
}
