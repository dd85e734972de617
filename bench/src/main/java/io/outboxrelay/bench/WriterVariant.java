package io.outboxrelay.bench;

import org.jspecify.annotations.Nullable;

/**
 * What the transactions of a service write beside a row of its own, and what else there is: a trigger that wakes the
 * relay, and a relay.
 */
enum WriterVariant {
    /** What the others are compared with: the same columns, into a table without constraints. */
    PLAIN("plain", Form.PLAIN, false, null),
    OUTBOX("outbox", Form.OUTBOX, false, null),
    OUTBOX_RELAY("outbox-relay", Form.OUTBOX, false, "none"),
    WAKEUP("wakeup", Form.OUTBOX, true, null),
    WAKEUP_NOTIFY("wakeup-notify", Form.OUTBOX, true, "notify"),
    WAKEUP_NONE("wakeup-none", Form.OUTBOX, true, "none"),
    CLIENT("client", Form.CLIENT, false, null),
    /** As {@link #PLAIN}, with several rows in each transaction. */
    PLAIN_LOOP("plain-loop", Form.PLAIN, false, null),
    OUTBOX_LOOP("outbox-loop", Form.OUTBOX, false, null),
    CLIENT_LOOP("client-loop", Form.CLIENT, false, null),
    CLIENT_BATCH("client-batch", Form.CLIENT_BATCH, false, null);

    /** How the events are written. */
    enum Form {
        /** Prepared INSERTs, not into the outbox. */
        PLAIN,
        /** Prepared INSERTs. */
        OUTBOX,
        /** The client library, one call for each event. */
        CLIENT,
        /** The client library, one call for all events of a transaction. */
        CLIENT_BATCH
    }

    private final String word;
    private final Form form;
    private final boolean wakesRelay;
    private final @Nullable String relay;

    WriterVariant(String word, Form form, boolean wakesRelay, @Nullable String relay) {
        this.word = word;
        this.form = form;
        this.wakesRelay = wakesRelay;
        this.relay = relay;
    }

    Form form() {
        return form;
    }

    /** Whether {@code outbox_wakeup(true)} was called. */
    boolean wakesRelay() {
        return wakesRelay;
    }

    /** The {@code wakeup} of the relay that runs; null if none does. */
    @Nullable
    String relay() {
        return relay;
    }

    /** Whether a transaction writes several events instead of one. */
    boolean writesSeveral() {
        return compareTo(PLAIN_LOOP) >= 0;
    }

    /** What it is compared with. */
    WriterVariant reference() {
        return writesSeveral() ? PLAIN_LOOP : PLAIN;
    }

    @Override
    public String toString() {
        return word;
    }
}
