package io.outboxrelay.bench;

import io.outboxrelay.testservers.PrivateServer;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** A database server that is killed, stopped and frozen. */
final class DatabaseVictim implements Victim {

    private static final Duration LONGEST_AWAY = Duration.ofSeconds(3);
    private static final Duration LONGEST_FROZEN = Duration.ofSeconds(5);

    private final String name;
    private final PrivateServer<?> server;
    private final Chronicle chronicle;

    DatabaseVictim(String name, PrivateServer<?> server, Chronicle chronicle) {
        this.name = name;
        this.server = server;
        this.chronicle = chronicle;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void strike(RandomGenerator random) throws InterruptedException {
        switch (random.nextInt(4)) {
            case 0, 1 -> {
                chronicle.kill(name);
                server.kill();
                startAgain(random);
            }
            case 2 -> {
                chronicle.tell(name + " is stopped");
                server.stop();
                startAgain(random);
            }
            default ->
                chronicle.freeze(
                        name, Fate.between(random, Duration.ZERO, LONGEST_FROZEN), server::freeze, server::thaw);
        }
    }

    private void startAgain(RandomGenerator random) throws InterruptedException {
        Fate.waitAtMost(LONGEST_AWAY, random);
        server.start();
        chronicle.tell(name + " is back");
    }
}
