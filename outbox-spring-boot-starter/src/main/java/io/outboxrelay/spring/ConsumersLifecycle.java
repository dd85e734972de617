package io.outboxrelay.spring;

import io.outboxrelay.client.IdempotentConsumer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;

/** Starts the application's consumers when everything else is there, and stops them before anything else goes. */
final class ConsumersLifecycle implements SmartLifecycle {

    private final ObjectProvider<IdempotentConsumer> consumers;
    private final boolean autoStartup;
    private volatile boolean running;

    ConsumersLifecycle(ObjectProvider<IdempotentConsumer> consumers, boolean autoStartup) {
        this.consumers = consumers;
        this.autoStartup = autoStartup;
    }

    @Override
    public boolean isAutoStartup() {
        return autoStartup;
    }

    @Override
    public void start() {
        consumers.stream()
                .filter(consumer -> consumer.state() == IdempotentConsumer.State.NEW)
                .forEach(IdempotentConsumer::start);
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
