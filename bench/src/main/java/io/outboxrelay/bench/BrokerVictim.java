package io.outboxrelay.bench;

import io.outboxrelay.testservers.PrivateRabbitMq;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/** A broker that is killed, stopped and frozen, and whose queues, bindings and exchange come and go. */
final class BrokerVictim implements Victim {

    private static final Duration LONGEST_AWAY = Duration.ofSeconds(3);
    private static final Duration LONGEST_FROZEN = Duration.ofSeconds(5);
    private static final Duration LONGEST_UNROUTABLE = Duration.ofSeconds(4);

    private final PrivateRabbitMq server;
    private final ChaosQueues queues;
    private final Chronicle chronicle;

    BrokerVictim(PrivateRabbitMq server, ChaosQueues queues, Chronicle chronicle) {
        this.server = server;
        this.queues = queues;
        this.chronicle = chronicle;
    }

    @Override
    public String name() {
        return "broker";
    }

    @Override
    public void strike(RandomGenerator random) throws IOException, TimeoutException, InterruptedException {
        switch (random.nextInt(9)) {
            case 0, 1 -> {
                chronicle.kill(name());
                server.kill();
                startAgain(random);
            }
            case 2 -> {
                chronicle.tell("broker is stopped");
                server.stop();
                startAgain(random);
            }
            case 3, 4 ->
                chronicle.freeze(
                        name(), Fate.between(random, Duration.ZERO, LONGEST_FROZEN), server::freeze, server::thaw);
            case 5 -> {
                chronicle.tell("guest queues are deleted");
                queues.deleteGuests();
                Fate.waitAtMost(LONGEST_UNROUTABLE, random);
                queues.declareGuests();
                chronicle.tell("guest queues are back");
            }
            case 6, 7 -> {
                chronicle.tell("queues are unbound: nothing can be routed");
                queues.deleteGuests();
                queues.unbind();
                routeAgain(random);
            }
            default -> {
                chronicle.tell("exchange is deleted");
                queues.deleteGuests();
                queues.deleteExchange();
                routeAgain(random);
            }
        }
    }

    private void startAgain(RandomGenerator random) throws InterruptedException {
        Fate.waitAtMost(LONGEST_AWAY, random);
        server.start();
        chronicle.tell("broker is back");
    }

    private void routeAgain(RandomGenerator random) throws IOException, TimeoutException, InterruptedException {
        Fate.waitAtMost(LONGEST_UNROUTABLE, random);
        queues.declare();
        queues.declareGuests();
        chronicle.tell("events can be routed again");
    }
}
