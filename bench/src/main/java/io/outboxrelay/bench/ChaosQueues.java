package io.outboxrelay.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * The relays' exchange and two durable queues for each source: the ledger, by which deliveries are judged and which is
 * never deleted, and the guest, which comes and goes with whatever is in it.
 *
 * <p>So that chaos itself loses nothing, ledgers and consumers are bound for good to a second exchange, and what comes
 * and goes is its one binding to the first: each event reaches all of them or none. A guest is bound only while that
 * binding exists: an event that the broker routes anywhere is in the ledger. Guests have no consumer and keep only a
 * few events.
 */
final class ChaosQueues {

    static final String EXCHANGE = "events";

    /** Leads to the ledgers and the consumers; never deleted. */
    static final String ACCEPTED = "accepted";

    private static final int MOST_IN_A_GUEST = 1_000;

    /** What RabbitMQ has written down when it has answered is still in its memory: a kill would undo a binding. */
    private static final String WRITE_DOWN = "mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()], ok.";

    private final PrivateRabbitMq server;
    private final TestVirtualHost host;
    private final List<String> sources;
    private final QueueKind kind;

    ChaosQueues(PrivateRabbitMq server, TestVirtualHost host, List<String> sources, QueueKind kind) {
        this.server = server;
        this.host = host;
        this.sources = sources;
        this.kind = kind;
    }

    /** The queue by which a source is judged. */
    static String ledger(String source) {
        return "ledger." + source;
    }

    private static String guest(String source) {
        return "guest." + source;
    }

    /** Declares exchanges, ledgers and bindings, or the missing ones; afterwards everything survives a kill. */
    void declare() throws IOException, TimeoutException {
        change(channel -> {
            channel.exchangeDeclare(ACCEPTED, "topic", true);
            for (String source : sources) {
                channel.queueDeclare(ledger(source), true, false, false, kind.arguments());
                channel.queueBind(ledger(source), ACCEPTED, source + ".#");
            }
            channel.exchangeDeclare(EXCHANGE, "topic", true);
            channel.exchangeBind(ACCEPTED, EXCHANGE, "#");
        });
        server.control("eval", WRITE_DOWN);
    }

    /** Declares the guests; to be called while the ledgers are bound. */
    void declareGuests() throws IOException, TimeoutException {
        Map<String, Object> arguments = new HashMap<>(kind.arguments());
        arguments.put("x-max-length", MOST_IN_A_GUEST);
        change(channel -> {
            for (String source : sources) {
                channel.queueDeclare(guest(source), true, false, false, arguments);
                channel.queueBind(guest(source), EXCHANGE, source + ".#");
            }
        });
    }

    /** Deletes the guests with their messages. */
    void deleteGuests() throws IOException, TimeoutException {
        change(channel -> {
            for (String source : sources) {
                channel.queueDelete(guest(source));
            }
        });
    }

    /** Leaves the exchange without a binding; to be called while there are no guests. */
    void unbind() throws IOException, TimeoutException {
        change(channel -> channel.exchangeUnbind(ACCEPTED, EXCHANGE, "#"));
    }

    /** Deletes the exchange; to be called while there are no guests. */
    void deleteExchange() throws IOException, TimeoutException {
        change(channel -> channel.exchangeDelete(EXCHANGE));
    }

    /** A factory of connections that stay closed once they are. */
    ConnectionFactory connectionFactory() {
        ConnectionFactory factory = host.connectionFactory();
        factory.setAutomaticRecoveryEnabled(false);
        factory.setRequestedHeartbeat(5);
        return factory;
    }

    private void change(Change change) throws IOException, TimeoutException {
        try (Connection connection = connectionFactory().newConnection("chaos");
                Channel channel = connection.createChannel()) {
            change.on(channel);
        }
    }

    private interface Change {
        void on(Channel channel) throws IOException;
    }
}
