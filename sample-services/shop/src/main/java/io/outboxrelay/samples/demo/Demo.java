package io.outboxrelay.samples.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Starts the shop with two relays, lets customers order, kills one relay in the middle, and checks that every event
 * arrived, once and in order. The last line and the exit status give the result.
 */
public final class Demo {

    /** The id of the process with which the demo ends. */
    static final String PARENT = "demo.parent";

    private static final Duration LONGEST_DRAIN = Duration.ofMinutes(5);

    /** How long a process at least stays down: one wants to watch what the others do meanwhile. */
    private static final Duration DOWN = Duration.ofSeconds(15);

    private final DemoSettings settings;
    private final PrintStream out;
    private final CountDownLatch exiting = new CountDownLatch(1);
    private long startedAt;

    private Demo(DemoSettings settings, PrintStream out) {
        this.settings = settings;
        this.out = out;
    }

    /**
     * Runs the demo and exits: 0 if it passed, 1 if not.
     *
     * @param arguments none; it reads the system properties {@code demo.seconds} and {@code demo.keep}
     */
    public static void main(String[] arguments) {
        System.setProperty("logback.configurationFile", "io/outboxrelay/samples/demo/logback.xml");
        endWith(Long.getLong(PARENT));
        int status;
        try {
            status = new Demo(DemoSettings.of(System.getProperties()), System.out).run();
        } catch (DemoFailure e) {
            System.out.println("demo failed: " + e.getMessage());
            status = 1;
        }
        System.exit(status);
    }

    private static void endWith(@Nullable Long parent) {
        if (parent != null) {
            ProcessHandle.of(parent).ifPresent(process -> process.onExit().thenRun(() -> System.exit(1)));
        }
    }

    private int run() {
        System.setProperty("demo.folder", settings.place().folder().toString());
        Runtime.getRuntime().addShutdownHook(new Thread(exiting::countDown, "demo-exit"));
        Verdict verdict;
        try (Stage stage = new Stage(settings.place(), Stage.Houses.SHARED, Map.of(), this::say)) {
            verdict = verdict(stage);
            keep(stage, verdict.line());
        } catch (DemoFailure e) {
            verdict = Verdict.failed(e.getMessage());
        }
        if (exiting.getCount() == 0) {
            return 1; // Ctrl-C: everything is being ended, and nobody waits for a verdict.
        }
        out.println(verdict.line());
        out.flush();
        return verdict.passed() ? 0 : 1;
    }

    private Verdict verdict(Stage stage) {
        try {
            stage.start();
            return story(stage);
        } catch (DemoFailure e) {
            return Verdict.failed(e.getMessage());
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(Demo.class).error("The demo itself failed", e);
            return Verdict.failed(
                    "%s; see %s".formatted(e, settings.place().folder().resolve("demo.log")));
        }
    }

    private Verdict story(Stage stage) {
        Ledger ledger = stage.ledger();
        say("Placing orders for %d s; one relay is killed half-way."
                .formatted(settings.orders().toSeconds()));
        startedAt = System.nanoTime();
        try (Shoppers shoppers =
                new Shoppers(stage.url(Service.CUSTOMERS), stage.url(Service.PRODUCTS), stage.url(Service.ORDERS))) {
            shoppers.start();
            watch(stage, ledger, shoppers, settings.orders().dividedBy(2));
            stage.killOneRelay();
            watch(stage, ledger, shoppers, settings.orders());
            shoppers.finish();
            say("The shop has closed: %,d orders placed, %,d rejected, %,d payments declined and rolled back."
                    .formatted(shoppers.placed(), shoppers.rejected(), shoppers.declined()));
        }
        Set<UUID> written = settle(stage, ledger);
        say("Comparing the %,d events that were written until the last order ended. Heartbeats continue, uncounted."
                .formatted(written.size()));
        return Verdict.of(ledger.audit(written), stage.duplicatesDropped(), stage.brokerName());
    }

    private void watch(Stage stage, Ledger ledger, Shoppers shoppers, Duration until) {
        while (elapsed().compareTo(until) < 0) {
            pause(nextSecond(until));
            shoppers.check();
            report(stage, ledger.counts());
        }
    }

    /**
     * Waits for the remaining events. Heartbeats never end, so it waits only for the events that were written before no
     * order was open any more, which it checks first.
     */
    private Set<UUID> settle(Stage stage, Ledger ledger) {
        Duration end = elapsed().plus(LONGEST_DRAIN);
        boolean open = true;
        Set<UUID> written = Set.of();
        while (elapsed().compareTo(end) < 0) {
            if (open) {
                open = ledger.counts().open() > 0;
                written = ledger.written();
            }
            if (!open && ledger.settled(written)) {
                return written;
            }
            pause(Duration.ofSeconds(1));
            report(stage, ledger.counts());
        }
        // The audit reports what is missing.
        say("After %d s, events are still missing somewhere.".formatted(LONGEST_DRAIN.toSeconds()));
        return written;
    }

    private void report(Stage stage, Counts counts) {
        stage.checkAlive();
        say(counts.line(stage.duplicatesDropped()));
    }

    private void keep(Stage stage, String verdict) {
        if (settings.keep()) {
            say(verdict);
            startAgain(stage, stage.ended());
            stage.directions().forEach(out::println);
            out.println("Everything keeps running until Ctrl-C. A process that ends is started again after %d to %d s."
                    .formatted(DOWN.toSeconds(), 2 * DOWN.toSeconds()));
            while (true) {
                List<Member> ended = stage.ended();
                pause(DOWN);
                startAgain(stage, ended);
            }
        }
    }

    private void startAgain(Stage stage, List<Member> ended) {
        for (Member member : ended) {
            stage.startAgain(member);
            say("Started %s again.".formatted(member.name()));
        }
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - startedAt);
    }

    private Duration nextSecond(Duration until) {
        Duration elapsed = elapsed();
        Duration next = Duration.ofSeconds(elapsed.toSeconds() + 1);
        return (next.compareTo(until) < 0 ? next : until).minus(elapsed);
    }

    private void pause(Duration duration) {
        try {
            if (exiting.await(duration.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new DemoFailure("interrupted");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }

    private void say(String text) {
        if (exiting.getCount() == 0) {
            return; // Ctrl-C: what is being ended at the same time by the exit of the JVM is no news.
        }
        String time = startedAt == 0 ? "     " : "%3d s".formatted(elapsed().toSeconds());
        out.println(time + "  " + text);
        out.flush();
    }
}
