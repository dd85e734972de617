package io.outboxrelay.samples.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;

/**
 * Settings of the demo.
 *
 * @param orders how long orders are placed
 * @param keep whether everything keeps running at the end, until Ctrl-C
 * @param place files and folders
 */
record DemoSettings(Duration orders, boolean keep, Place place) {

    private static final int DEFAULT_SECONDS = 30;
    /** With less time, no relay could be killed in the middle of its work. */
    private static final int LEAST_SECONDS = 2;

    private static final int MOST_SECONDS = 86_400;

    /**
     * Files and folders of the demo.
     *
     * @param folder receives logs and configuration files
     * @param relayJar the relay's program
     * @param contracts the folder with the contracts of all events
     */
    record Place(Path folder, Path relayJar, Path contracts) {

        static Place of(Properties properties) {
            return new Place(
                    Path.of(properties.getProperty("demo.folder", "target/demo")),
                    Path.of(properties.getProperty("demo.relay", "relay/target/outbox-relay.jar")),
                    Path.of(properties.getProperty("demo.contracts", "sample-services/shop-contracts/contracts")));
        }
    }

    static DemoSettings of(Properties properties) {
        String keep = properties.getProperty("demo.keep", "false");
        return new DemoSettings(
                Duration.ofSeconds(seconds(properties.getProperty("demo.seconds", String.valueOf(DEFAULT_SECONDS)))),
                keep.isEmpty() || Boolean.parseBoolean(keep),
                Place.of(properties));
    }

    private static int seconds(String text) {
        int seconds;
        try {
            seconds = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            seconds = -1;
        }
        if (seconds < LEAST_SECONDS || seconds > MOST_SECONDS) {
            throw new DemoFailure("-Ddemo.seconds is '%s'; it must be an integer from %d to %d"
                    .formatted(text, LEAST_SECONDS, MOST_SECONDS));
        }
        return seconds;
    }
}
