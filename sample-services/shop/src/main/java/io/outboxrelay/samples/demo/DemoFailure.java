package io.outboxrelay.samples.demo;

import org.jspecify.annotations.Nullable;

/** The demo cannot succeed any more; the message is for the person who started it. */
final class DemoFailure extends RuntimeException {

    DemoFailure(String message) {
        super(message);
    }

    DemoFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
