package io.outboxrelay.schema;

import org.jspecify.annotations.Nullable;

/** The outbox cannot be installed or asked for its version; the message says what to do. */
public final class OutboxSchemaException extends RuntimeException {

    OutboxSchemaException(String message) {
        super(message);
    }

    OutboxSchemaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
