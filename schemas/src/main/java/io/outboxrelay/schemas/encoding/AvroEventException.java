package io.outboxrelay.schemas.encoding;

import org.jspecify.annotations.Nullable;

/** An event's body cannot be encoded or decoded. The message holds no value of the event. */
public final class AvroEventException extends RuntimeException {

    AvroEventException(String message) {
        super(message);
    }

    AvroEventException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
