package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * Tries once whether a relay could publish: logs in, looks for the exchanges, and asks for the right to write to them.
 * Declares nothing, and no queue gets a message.
 *
 * @param faults what would keep events from being published, a sentence each
 * @param notes what is in order, or cannot be known before the relay runs
 */
public record BrokerCheck(List<String> faults, List<String> notes) {

    private static final int CLOSE_TIMEOUT_MILLIS = 2_000;

    /**
     * The expiration is not valid: the broker refuses the message, but only after it has checked the right to write.
     */
    private static final BasicProperties NEVER_ROUTED = new BasicProperties.Builder()
            .expiration("this is a check, and not to be routed")
            .userId("outbox-relay check-config")
            .build();

    /**
     * Tries.
     *
     * @param settings the broker
     * @return what was found
     */
    public static BrokerCheck of(BrokerSettings settings) {
        BrokerCheck found = new BrokerCheck(new ArrayList<>(), new ArrayList<>());
        try {
            found.check(settings, Broker.factory(settings));
        } catch (IllegalArgumentException e) {
            found.faults.add(String.valueOf(e.getMessage()));
        }
        return found;
    }

    private void check(BrokerSettings settings, BurstConnectionFactory factory) {
        String address = Broker.address(factory);
        try {
            Connection connection = factory.newConnection("outbox-relay check-config");
            try {
                notes.add("connected to the broker %s as %s".formatted(address, factory.getUsername()));
                exchanges(settings).forEach(exchange -> exchange(connection, settings, exchange, address));
            } finally {
                connection.abort(CLOSE_TIMEOUT_MILLIS);
            }
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            faults.add("no connection to the broker %s: %s".formatted(address, ConnectionTrouble.inWords(e)));
        }
        management(settings, factory.getVirtualHost());
    }

    /** Of a template, only those that are named elsewhere are known; the default exchange always exists. */
    private Set<String> exchanges(BrokerSettings settings) {
        if (settings.exchange().isEmpty()) {
            return Set.of();
        }
        if (Template.of(settings.exchange()).isConstant()) {
            return Set.of(settings.exchange());
        }
        notes.add("the exchanges of the template '%s' are not known before there are events, except those in"
                        .formatted(settings.exchange())
                + " broker.declare-exchanges");
        return settings.declarable();
    }

    private void exchange(Connection connection, BrokerSettings settings, String exchange, String address) {
        try {
            connection.createChannel().exchangeDeclarePassive(exchange);
        } catch (IOException | ShutdownSignalException e) {
            if (code(e) != AMQP.NOT_FOUND) {
                faults.add("the exchange '%s' cannot be checked: %s".formatted(exchange, ConnectionTrouble.inWords(e)));
            } else if (settings.declares(exchange)) {
                notes.add("the exchange '%s' does not exist yet; the relay will declare it, if its user has the right"
                        .formatted(exchange));
            } else {
                faults.add(Broker.missingInWords(settings, exchange, address));
            }
            return;
        }
        right(connection, exchange);
    }

    private void right(Connection connection, String exchange) {
        try {
            Channel channel = connection.createChannel();
            channel.basicPublish(exchange, "outbox-relay.check", NEVER_ROUTED, new byte[0]);
            channel.exchangeDeclarePassive(exchange); // waits for the refusal
            notes.add("the exchange '%s' exists; whether its user may publish to it is not known".formatted(exchange));
        } catch (IOException | ShutdownSignalException e) {
            String words = ConnectionTrouble.inWords(e);
            if (code(e) == AMQP.PRECONDITION_FAILED) {
                notes.add("the exchange '%s' exists, and the user may publish to it".formatted(exchange));
            } else if (code(e) == AMQP.ACCESS_REFUSED && words.contains("topic '")) {
                notes.add("the exchange '%s' exists; the user may publish to it with some routing keys only"
                        .formatted(exchange));
            } else {
                faults.add("the user may not publish to the exchange '%s': %s".formatted(exchange, words));
            }
        }
    }

    private void management(BrokerSettings settings, String virtualHost) {
        if (settings.management() == null) {
            return;
        }
        if (new Management("check-config", settings.management(), settings, virtualHost)
                        .ask()
                        .join()
                instanceof Management.Answer.Unknown unknown) {
            faults.add("broker.management-uri: " + unknown.why());
        } else {
            notes.add("the management API says which queues are down");
        }
    }

    /** Returns the broker's reply code; 0 if it did not close the channel. */
    private static int code(Throwable failure) {
        Throwable cause = failure;
        while (!(cause instanceof ShutdownSignalException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof ShutdownSignalException signal && signal.getReason() instanceof AMQP.Channel.Close close
                ? close.getReplyCode()
                : 0;
    }
}
