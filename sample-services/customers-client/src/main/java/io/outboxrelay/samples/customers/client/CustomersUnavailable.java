package io.outboxrelay.samples.customers.client;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/** The customers service gave no usable answer. The message names it, its address and the failure. */
public final class CustomersUnavailable extends RuntimeException {

    private final URI address;
    private final Reason reason;

    /** Why there is no answer. */
    public enum Reason {
        /** No connection, or it was lost before the answer was complete. */
        NOT_REACHED(true, true, true),
        /** The service answered that it failed (5xx). */
        FAILED(true, true, true),
        /** No answer in time. The client does not retry at once, because the service may be overloaded. */
        TOO_SLOW(false, true, true),
        /** It failed too often recently, and was not called. */
        LEFT_ALONE(false, false, true),
        /** The service rejected the request (4xx): the caller is wrong, or its version does not match the service. */
        REFUSED(false, false, false),
        /** The client does not understand the answer. */
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
     * The address of the service.
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
     * Whether the same request may succeed later. The client has already retried where that was useful.
     *
     * @return false if the caller, the client or the service must be changed first
     */
    public boolean worthTryingLater() {
        return reason.worthTryingLater;
    }
}
