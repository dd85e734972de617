package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The queue beside a consumer's queue that receives the history. Its consumer declares it, with an exchange for each
 * exchange of its bindings, so that the broker chooses which retained events belong to it; and with one for the end of
 * the history, which brings it to every partition. They exist until the consumer has handled the history. Used by one
 * thread.
 */
public final class HistoryQueue implements AutoCloseable {

    /** No event has it: see {@link Message}. */
    static final String END = "outbox_history_end";

    private static final int PERSISTENT = 2;
    private static final int CLOSE_TIMEOUT_MILLIS = 2_000;
    private static final Duration LONGEST_CONFIRM = Duration.ofSeconds(30);

    private final String queue;
    private final BurstConnectionFactory factory;
    private @Nullable Connection connection;

    /**
     * Connects to nothing yet.
     *
     * @param settings the broker
     * @param queue the consumer's queue
     * @throws CannotSubscribeException if the settings cannot be used
     */
    public HistoryQueue(BrokerSettings settings, String queue) {
        this.queue = queue;
        try {
            this.factory = Broker.factory(settings);
        } catch (IllegalArgumentException e) {
            throw new CannotSubscribeException(String.valueOf(e.getMessage()));
        }
    }

    /** Where a retained event is published that was published to another exchange: its name begins like this. */
    static String entry(String queue) {
        return queue + ".history:";
    }

    private String end() {
        return queue + ".history.end";
    }

    /**
     * Checks that the consumer's queue exists, and beside it one for the history. Then its bindings exist too, since a
     * consumer declares these first.
     *
     * @throws CannotSubscribeException if not, with the way out
     */
    public void require() {
        try {
            if (!answers(channel -> channel.queueDeclarePassive(queue))
                    && !answers(channel -> channel.exchangeDeclarePassive(queue))) {
                throw new CannotSubscribeException(
                        "there is no queue '%s' on %s, and no exchange of that name which leads to its partitions. Start"
                                        .formatted(queue, address())
                                + " the consumer first: it declares its queue, and with catchUp() the one for the"
                                + " history.");
            }
            if (!answers(channel -> channel.exchangeDeclarePassive(end()))) {
                throw gone();
            }
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            throw noAnswer(e);
        }
    }

    /** {@return what is to be thrown if the history can no longer be sent} */
    public CannotSubscribeException gone() {
        return new CannotSubscribeException(
                ("the queue '%s' on %s takes no history, because there is no exchange '%s'. Perhaps its consumer does not"
                                + " declare it with catchUp(), or has not been started since. Or the history is"
                                + " complete: to send it once more, stop all instances of the consumer, undo its"
                                + " effects, delete its rows from the tables inbox, inbox_failure and inbox_history,"
                                + " start it, and when it logs that it waits for the history, run the command with"
                                + " --again.")
                        .formatted(queue, address(), end()));
    }

    /** {@return whether the history can still be sent; empty while the broker does not answer} */
    public Optional<Boolean> isThere() {
        try {
            return Optional.of(answers(channel -> channel.exchangeDeclarePassive(end())));
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            return Optional.empty();
        }
    }

    /**
     * Ends the history in all partitions.
     *
     * @param id the id of the message, for the consumer's table {@code inbox_history}
     * @throws CannotSubscribeException if the broker does not confirm it
     */
    public void end(UUID id) {
        BasicProperties properties = new BasicProperties.Builder()
                .messageId(id.toString())
                .deliveryMode(PERSISTENT)
                .headers(Map.of(END, true))
                .build();
        AtomicReference<@Nullable Return> returned = new AtomicReference<>();
        try (Channel channel = connected().createChannel()) {
            channel.confirmSelect();
            channel.addReturnListener(returned::set);
            channel.basicPublish(end(), "", true, properties, new byte[0]);
            if (!channel.waitForConfirms(LONGEST_CONFIRM.toMillis()) || returned.get() != null) {
                throw new CannotSubscribeException(
                        "the broker %s did not accept the end of the history for '%s'; run the command again"
                                .formatted(address(), queue));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw noAnswer(e);
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            throw noAnswer(e);
        }
    }

    private interface Question {

        void on(Channel channel) throws IOException;
    }

    /** The broker closes the channel to say no. */
    private boolean answers(Question question) throws IOException, TimeoutException {
        try (Channel channel = connected().createChannel()) {
            question.on(channel);
            return true;
        } catch (IOException e) {
            if (e.getCause() instanceof ShutdownSignalException signal
                    && signal.getReason() instanceof AMQP.Channel.Close close
                    && close.getReplyCode() == AMQP.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }

    private Connection connected() throws IOException, TimeoutException {
        Connection current = connection;
        if (current == null || !current.isOpen()) {
            current = factory.newConnection("outbox-relay subscribe " + queue);
            connection = current;
        }
        return current;
    }

    private String address() {
        return Broker.address(factory);
    }

    private CannotSubscribeException noAnswer(Exception e) {
        return new CannotSubscribeException("the broker %s: %s".formatted(address(), ConnectionTrouble.inWords(e)));
    }

    @Override
    public void close() {
        if (connection != null) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
        }
    }

    /** The broker or the queue cannot be used. The message is a sentence for a person. */
    public static final class CannotSubscribeException extends RuntimeException {

        private static final long serialVersionUID = 1;

        CannotSubscribeException(String message) {
            super(message);
        }
    }
}
