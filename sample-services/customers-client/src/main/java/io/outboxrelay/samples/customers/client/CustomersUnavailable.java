package io.outboxrelay.samples.customers.client;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/** The customers service has given no answer that can be used. The message names it, its address and what failed. */
public final class CustomersUnavailable extends RuntimeException {

    private final URI address;
    private final Reason reason;

    /** Why there is no answer. */
    public enum Reason {
        /** No connection, or it was lost before the answer was complete. */
        NOT_REACHED(true, true, true),
        /** The service answered that it failed (5xx). */
        FAILED(true, true, true),
        /** No answer in time. It is not asked again at once: the service may have too much to do already. */
        TOO_SLOW(false, true, true),
        /** It failed too often of late, and was not asked. */
        LEFT_ALONE(false, false, true),
        /** The service will not answer this (4xx): the caller is wrong, or of another time than the service. */
        REFUSED(false, false, false),
        /** The answer is not what this client understands. */
        NOT_UNDERSTOOD(false, false, false);

        private final boolean triedAgain;
        private final boolean countsAgainstTheService;
        private final boolean worthTryingLater;

        Reason(boolean triedAgain, boolean countsAgainstTheService, boolean worthTryingLater) {
            this.triedAgain = triedAgain;
            this.countsAgainstTheService = countsAgainstTheService;
            this.worthTryingLater = worthTryingLater;
        }

        boolean isTriedAgain() {
            return triedAgain;
        }

        boolean countsAgainstTheService() {
            return countsAgainstTheService;
        }
    }

    CustomersUnavailable(URI address, Reason reason, String what, @Nullable Throwable cause) {
        super(
                "The customers service at %s %s; it %s to try again later"
                        .formatted(address, what, reason.worthTryingLater ? "makes sense" : "does not help"),
                cause);
        this.address = address;
        this.reason = reason;
    }

    /**
     * Where the service was expected.
     *
     * @return as it was given to the client
     */
    public URI address() {
        return address;
    }

    /**
     * Why there is no answer.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    /**
     * Whether the same question may be answered later. The client has tried again already where that was sensible.
     *
     * @return false if caller, client or service have to be changed first
     */
    public boolean worthTryingLater() {
        return reason.worthTryingLater;
    }
}
