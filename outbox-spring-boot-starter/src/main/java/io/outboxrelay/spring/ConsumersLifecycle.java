package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;

/** Starts the application's consumers when everything else is there, and stops them before anything else goes. */
final class ConsumersLifecycle implements SmartLifecycle {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final ObjectProvider<PoolCheck> poolCheck;
    private final boolean autoStartup;
    private volatile boolean running;

    ConsumersLifecycle(
            ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<PoolCheck> poolCheck, boolean autoStartup) {
        this.consumers = consumers;
        this.poolCheck = poolCheck;
        this.autoStartup = autoStartup;
    }

    @Override
    public boolean isAutoStartup() {
        return autoStartup;
    }

    @Override
    public void start() {
        List<IdempotentConsumer> starting = consumers.stream()
                .filter(consumer -> consumer.state() == IdempotentConsumer.State.NEW)
                .toList();
        poolCheck.ifAvailable(check -> check.check(starting));
        starting.forEach(IdempotentConsumer::start);
        running = true;
    }

    @Override
    public void stop() {
        consumers.stream().parallel().forEach(IdempotentConsumer::close);
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
