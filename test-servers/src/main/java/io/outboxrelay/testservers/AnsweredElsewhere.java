package io.outboxrelay.testservers;

import java.time.Duration;
import org.testcontainers.containers.wait.strategy.WaitStrategy;
import org.testcontainers.containers.wait.strategy.WaitStrategyTarget;

/** Waits for nothing: {@link ContainerServer} asks the server itself, after every start and not only the first. */
final class AnsweredElsewhere implements WaitStrategy {
    @Override
    public void waitUntilReady(WaitStrategyTarget target) {
        // see the class comment
    }

    @Override
    public WaitStrategy withStartupTimeout(Duration timeout) {
        return this;
    }
}
