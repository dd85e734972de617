package io.outboxrelay.client;

/** A delivery in a consumer's hands. Known to one subscription and to one worker. */
final class Taken {

    private final Origin origin;
    private final long tag;
    private final ReceivedEvent event;
    private final boolean suspect;

    /** Whether nothing is left to do about it. Guarded by its origin. */
    boolean settled;

    /** @param suspect whether it may have ended a consumer's process or connection before */
    Taken(Origin origin, long tag, ReceivedEvent event, boolean suspect) {
        this.origin = origin;
        this.tag = tag;
        this.event = event;
        this.suspect = suspect;
    }

    Origin origin() {
        return origin;
    }

    long tag() {
        return tag;
    }

    ReceivedEvent event() {
        return event;
    }

    boolean isSuspect() {
        return suspect;
    }

    /**
     * Where deliveries come from: one queue, until it is let go of or its connection is lost. Safe for many threads.
     */
    interface Origin {

        /** The queue. */
        String queue();

        /**
         * Begins to work on a delivery.
         *
         * @return false if it is not to be worked on: the broker will deliver it again, perhaps to another
         */
        boolean begin();

        /** Ends what {@link #begin} has begun. */
        void end();

        /** Whether a delivery is still to be worked on. */
        boolean isOpen();

        /** The event is done: the broker may forget it. */
        void done(Taken taken);

        /** The event goes to the dead-letter exchange. */
        void reject(Taken taken);
    }
}
