package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The queue beside a consumer's queue that receives the history. Its consumer declares it, with an exchange for each
 * exchange of its bindings, so that the broker chooses which retained events belong to it; and with one for the end of
 * the history, which brings it to every partition. They exist until the consumer has handled the history, or begins it
 * anew. Used by one thread.
 *
 * <p>Each subscription has an exchange of its own that leads to the one for the end. The broker deletes it with that
 * one, so as long as it exists, nothing was deleted to which the subscription has sent. Neither another connection nor
 * another process brings it back.
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

    private String own(UUID subscription) {
        return queue + ".history." + subscription;
    }

    /**
     * Checks that the consumer's queue exists, and beside it one for the history. Then its bindings exist too, since a
     * consumer declares these first.
     *
     * @throws CannotSubscribeException if not, with the way out
     */
    public void require() {
        if (!found(channel -> channel.queueDeclarePassive(queue)) && !exists(queue)) {
            throw new CannotSubscribeException(
                    "there is no queue '%s' on %s, and no exchange of that name which leads to its partitions. Start"
                                    .formatted(queue, address())
                            + " the consumer first: it declares its queue, and with catchUp() the one for the"
                            + " history.");
        }
        if (!isThere()) {
            throw gone();
        }
    }

    private CannotSubscribeException gone() {
        return new CannotSubscribeException(
                ("the queue '%s' on %s takes no history, because there is no exchange '%s'. Perhaps its consumer does"
                                + " not declare it with catchUp(), or has not been started since. Or the history is"
                                + " complete: to send it once more, stop all instances of the consumer, undo its"
                                + " effects, delete its rows from the tables inbox, inbox_failure and inbox_history,"
                                + " start it, and when it logs that it waits for the history, run the command again.")
                        .formatted(queue, address(), end()));
    }

    /**
     * {@return whether a consumer waits for the history}
     *
     * @throws CannotSubscribeException if the broker does not answer
     */
    public boolean isThere() {
        return exists(end());
    }

    /**
     * Begins a subscription. What is sent after this is for the history that exists now.
     *
     * @throws CannotSubscribeException if there is none, or the broker does not answer
     */
    public void begin(UUID subscription) {
        String own = own(subscription);
        if (!found(channel -> {
            channel.exchangeDeclare(own, BuiltinExchangeType.FANOUT, true, true, Map.of());
            channel.exchangeBind(end(), own, "");
        })) {
            found(channel -> channel.exchangeDelete(own));
            throw gone();
        }
    }

    /**
     * {@return whether nothing was deleted to which a subscription has sent}
     *
     * @throws CannotSubscribeException if the broker does not answer
     */
    public boolean holds(UUID subscription) {
        return exists(own(subscription));
    }

    /** {@return what is to be thrown if something was} */
    public CannotSubscribeException lost() {
        return new CannotSubscribeException(
                ("the history for the queue '%s' on %s was deleted while it was being sent, by its consumer, which starts"
                                + " over, or by a person. What was sent does not count. When the consumer logs"
                                + " that it waits for the history, run the command again.")
                        .formatted(queue, address()));
    }

    /**
     * Ends the history in all partitions.
     *
     * @param subscription also the id of the message, for the consumer's table {@code inbox_history}
     * @throws CannotSubscribeException if something was deleted to which the subscription has sent, or if the broker
     *     does not confirm the message
     */
    public void end(UUID subscription) {
        BasicProperties properties = new BasicProperties.Builder()
                .messageId(subscription.toString())
                .deliveryMode(PERSISTENT)
                .headers(Map.of(END, true))
                .build();
        if (!found(channel -> publish(channel, own(subscription), properties))) {
            throw lost();
        }
    }

    private void publish(Channel channel, String exchange, BasicProperties properties)
            throws IOException, InterruptedException, TimeoutException {
        AtomicReference<@Nullable Return> returned = new AtomicReference<>();
        channel.confirmSelect();
        channel.addReturnListener(returned::set);
        channel.basicPublish(exchange, "", true, properties, new byte[0]);
        if (!channel.waitForConfirms(LONGEST_CONFIRM.toMillis()) || returned.get() != null) {
            throw new CannotSubscribeException(
                    "the broker %s did not accept the end of the history for '%s'; run the command again"
                            .formatted(address(), queue));
        }
    }

    private interface Call {

        void on(Channel channel) throws IOException, InterruptedException, TimeoutException;
    }

    private boolean exists(String exchange) {
        return found(channel -> channel.exchangeDeclarePassive(exchange));
    }

    /** Whether the broker finds all that is named; it closes the channel to say no. */
    private boolean found(Call call) {
        try (Channel channel = connected().createChannel()) {
            call.on(channel);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw noAnswer(e);
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            if ((e instanceof ShutdownSignalException ? e : e.getCause()) instanceof ShutdownSignalException signal
                    && signal.getReason() instanceof AMQP.Channel.Close close
                    && close.getReplyCode() == AMQP.NOT_FOUND) {
                return false;
            }
            throw noAnswer(e);
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
