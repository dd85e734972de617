package io.outboxrelay.samples.demo;

/**
 * The result of the demo.
 *
 * @param passed whether every event arrived, once and in order, and every saga has ended
 * @param line the last line of the output
 */
record Verdict(boolean passed, String line) {

    /** Without a comparison, because the demo could not be played to its end. */
    static Verdict failed(String reason) {
        return new Verdict(false, "demo failed: " + reason);
    }

    static Verdict of(Audit audit, long duplicatesDropped, String broker) {
        String numbers = "written=%d published=%d handled=%d duplicates_dropped=%d lost=%d out_of_order=%d broker=%s"
                .formatted(
                        audit.written(),
                        audit.published(),
                        audit.handled(),
                        duplicatesDropped,
                        audit.lost(),
                        audit.outOfOrder(),
                        broker);
        if (audit.flawless()) {
            return new Verdict(true, "demo passed: " + numbers);
        }
        return new Verdict(
                false,
                "demo failed: %s invented=%d differing_orders=%d open_orders=%d oversold=%d"
                        .formatted(numbers, audit.invented(), audit.differing(), audit.open(), audit.oversold()));
    }
}
