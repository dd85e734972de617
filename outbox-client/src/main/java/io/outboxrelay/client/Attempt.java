package io.outboxrelay.client;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One try to handle one event in the inbox's transaction, and whose fault it was if it failed. Used once, by the
 * consumer's thread, whose interrupt flag is down afterwards.
 */
final class Attempt {

    /** Whose fault a failure is. */
    enum Fault {
        /** The handler's, or the event's. */
        HANDLER,
        /** The event's, and it will be so again: the handler says that no retry can help. */
        REJECTED,
        /** Nobody's: others needed the same rows at the same time. */
        CONTENTION,
        /** The inbox's own connection was lost or could not be had. */
        DATABASE
    }

    /** Why an attempt failed. */
    record Failure(Fault fault, Throwable cause) {}

    private enum Stage {
        BEFORE_THE_HANDLER,
        IN_THE_HANDLER,
        AFTER_THE_HANDLER
    }

    private final Inbox inbox;
    private final EventHandler handler;
    private final ReceivedEvent event;
    private Stage stage = Stage.BEFORE_THE_HANDLER;
    private boolean connectionLost;
    private boolean duplicate;
    private boolean interrupted;
    private @Nullable Failure failure;

    Attempt(Inbox inbox, EventHandler handler, ReceivedEvent event) {
        this.inbox = inbox;
        this.handler = handler;
        this.event = event;
    }

    /**
     * Makes the attempt.
     *
     * @return nothing if the event is done: handled now, or known to the inbox
     * @throws VirtualMachineError if nothing can be trusted any more; an overflow of the stack is a failure like others
     */
    Optional<Failure> run(String consumer) {
        try {
            duplicate = !inbox.once(consumer, event.id(), this::handle);
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
        return Optional.ofNullable(failure);
    }

    /** Whether the inbox knew the event. */
    boolean foundDuplicate() {
        return duplicate;
    }

    /** Whether the thread's interrupt flag was up during the attempt, which has taken it down. */
    boolean wasInterrupted() {
        return interrupted;
    }

    private void handle() {
        stage = Stage.IN_THE_HANDLER;
        try {
            handler.handle(event);
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
        boolean database = switch (stage) {
            case BEFORE_THE_HANDLER -> true;
            case IN_THE_HANDLER -> connectionLost;
            case AFTER_THE_HANDLER -> Causes.sayConnectionLoss(failed);
        };
        if (database) {
            return Fault.DATABASE;
        }
        return Causes.sayRejection(failed) ? Fault.REJECTED : Fault.HANDLER;
    }
}
