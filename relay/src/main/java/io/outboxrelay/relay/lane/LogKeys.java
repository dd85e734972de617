package io.outboxrelay.relay.lane;

import org.slf4j.MDC;

/**
 * Names of the fields of a log message, besides its text. A thread that works for one source or lane says so once; a
 * message about one event adds its own fields.
 */
public final class LogKeys {

    /** Name of the source. */
    public static final String SOURCE = "source";

    /** Number of the lane. */
    public static final String LANE = "lane";

    /** Id of the event. */
    public static final String EVENT_ID = "event_id";

    /** Why the event was not published, in a word. */
    public static final String REASON = "reason";

    private LogKeys() {}

    /** Marks all later messages of this thread with its source. */
    public static void thisThreadServes(String source) {
        MDC.put(SOURCE, source);
    }

    /** Marks all later messages of this thread with its source and its lane. */
    public static void thisThreadServes(String source, int lane) {
        MDC.put(SOURCE, source);
        MDC.put(LANE, String.valueOf(lane));
    }
}
