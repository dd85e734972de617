package io.outboxrelay.bench;

import java.util.List;
import java.util.Locale;

/**
 * A backlog that a relay has drained.
 *
 * @param tenths the first events first
 * @param claimMilliseconds average time of a claim, by the relay's own timer
 */
record Backlog(List<Tenth> tenths, double claimMilliseconds) {

    /**
     * A tenth of the events.
     *
     * @param rate events a second
     * @param residentMegabytes of the relay at its end
     */
    record Tenth(double rate, double residentMegabytes) {}

    /** The rate of the last tenth divided by that of the first one. */
    double lastBesideFirst() {
        return tenths.get(tenths.size() - 1).rate() / tenths.get(0).rate();
    }

    /** Over all events. */
    double rate() {
        return tenths.size()
                / tenths.stream().mapToDouble(tenth -> 1 / tenth.rate()).sum();
    }

    double mostResidentMegabytes() {
        return tenths.stream().mapToDouble(Tenth::residentMegabytes).max().orElse(0);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,.0f/s, last tenth beside first %.2f, at most %.0f MB, %.1f ms for a claim",
                rate(),
                lastBesideFirst(),
                mostResidentMegabytes(),
                claimMilliseconds);
    }
}
