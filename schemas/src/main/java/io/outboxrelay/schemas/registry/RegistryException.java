package io.outboxrelay.schemas.registry;

import org.jspecify.annotations.Nullable;

/** A registry did not do what it was asked for. The message names the registry and what was asked, and no secret. */
public final class RegistryException extends RuntimeException {

    /** Why not. */
    public enum Kind {
        /** It cannot be reached, does not answer in time, or is overloaded: later it may. */
        AWAY,
        /** It has an error of its own over what it was asked for: later it may not. */
        FAILED,
        /** It does not accept who asks. */
        FORBIDDEN,
        /** There is no such subject, version or id. */
        MISSING,
        /** The schema breaks what the subject promises. */
        INCOMPATIBLE,
        /** It answers something else that is of no use, or takes the schema for invalid. */
        REFUSED
    }

    private final Kind kind;

    RegistryException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** Returns why, in one word. */
    public Kind kind() {
        return kind;
    }
}
