package io.outboxrelay.testservers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import java.time.Duration;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;

/** A server in a container. Its data is in the container and survives everything but {@link #close}. */
final class ContainerServer implements ServerControl {
    private static final int STOP_LIMIT_SECONDS = 60;

    private final GenericContainer<?> container;
    private final String what;
    private final Readiness.Question question;
    private final Duration startLimit;

    ContainerServer(GenericContainer<?> container, String image, Readiness.Question question, Duration startLimit) {
        this.container = container;
        this.what = "the container of " + image;
        this.question = question;
        this.startLimit = startLimit;
    }

    @Override
    public synchronized void start() {
        if (container.getContainerId() == null) {
            container.start();
        } else if (isRunning()) {
            return;
        } else {
            client().startContainerCmd(container.getContainerId()).exec();
        }
        Readiness.await(what, startLimit, question, this::isRunning, container::getLogs);
    }

    @Override
    public synchronized void stop() {
        if (isRunning()) {
            client().stopContainerCmd(container.getContainerId())
                    .withTimeout(STOP_LIMIT_SECONDS)
                    .exec();
        }
    }

    @Override
    public synchronized void kill() {
        if (isRunning()) {
            client().killContainerCmd(container.getContainerId()).exec();
            Readiness.await(what + " after SIGKILL", startLimit, this::requireStopped, () -> true, container::getLogs);
        }
    }

    @Override
    public synchronized void freeze() {
        client().pauseContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public synchronized void thaw() {
        client().unpauseContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public synchronized void close() {
        AtExit.forget(this);
        container.stop();
    }

    private String requireStopped() {
        if (isRunning()) {
            throw new IllegalStateException("still running");
        }
        return "stopped";
    }

    synchronized boolean isRunning() {
        if (container.getContainerId() == null) {
            return false;
        }
        ContainerState state =
                client().inspectContainerCmd(container.getContainerId()).exec().getState();
        return Boolean.TRUE.equals(state.getRunning());
    }

    private static DockerClient client() {
        return DockerClientFactory.instance().client();
    }

    @Override
    public String toString() {
        return what;
    }
}
