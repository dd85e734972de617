package io.outboxrelay.schemas.encoding;

import java.util.concurrent.atomic.AtomicBoolean;

/** What a malicious producer would like a reader to create. */
public final class Trap {

    static final AtomicBoolean SPRUNG = new AtomicBoolean();

    /** As a record is created. */
    public Trap() {
        SPRUNG.set(true);
    }

    /**
     * As a string is turned into an object.
     *
     * @param text what the body says
     */
    public Trap(String text) {
        SPRUNG.set(true);
    }
}
