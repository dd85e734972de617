package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConfirmListener;
import com.rabbitmq.client.ShutdownSignalException;
import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.lane.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes one lane's events on a channel of its own and matches what the broker says with what was published.
 *
 * <p>All state belongs to the lane's thread. The connection's thread only appends signals to a queue; each names the
 * channel that it belongs to, so that a late one of an old channel is never taken for one of the new.
 */
public final class RabbitPublisher implements Publisher, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RabbitPublisher.class);

    /** The socket is written after so many events; more would only add latency. */
    private static final int BURST = 64;

    /** Of an exchange's name and of a routing key, in bytes. */
    private static final int LONGEST_NAME = 255;

    private final Broker shared;
    private final Route exchange;
    private final Route routingKey;
    private final Message message;
    private final PublishMetrics metrics;

    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final NavigableMap<Long, Sent> outstanding = new TreeMap<>();
    private final Map<Aggregate, String> returned = new HashMap<>();
    private final List<Answer> answers = new ArrayList<>();
    /** The shared one, or one of its own. */
    private volatile Broker broker;

    private @Nullable Channel channel;
    private int unflushed;
    /** Whether the channel carries messages whose answer is not waited for any more: then nobody knows who closed it. */
    private boolean forgotten;

    private record Sent(Event event, String exchange, long at) {}

    /** What the connection's thread saw on a channel. */
    private sealed interface Signal {

        Channel channel();

        record Acked(Channel channel, long tag, boolean multiple) implements Signal {}

        record Nacked(Channel channel, long tag, boolean multiple) implements Signal {}

        record Returned(Channel channel, Aggregate aggregate, String detail) implements Signal {}

        record Closed(
                Channel channel, String detail, @Nullable Reason suspected) implements Signal {}
    }

    /**
     * @param source name of the source
     * @param broker the source's connection
     * @param settings where events go
     * @param metrics where outcomes are counted
     */
    public RabbitPublisher(String source, Broker broker, BrokerSettings settings, PublishMetrics metrics) {
        this(
                broker,
                Route.of(settings.exchange()),
                Route.of(settings.routingKey()),
                new Message(source, settings.cloudEvents(), null),
                metrics);
    }

    private RabbitPublisher(Broker broker, Route exchange, Route routingKey, Message message, PublishMetrics metrics) {
        this.shared = broker;
        this.broker = broker;
        this.exchange = exchange;
        this.routingKey = routingKey;
        this.message = message;
        this.metrics = metrics;
    }

    /**
     * A publisher of events that are sent again, each with the header {@code outbox_replay}.
     *
     * @param source name of the source
     * @param broker a connection
     * @param settings where events usually go
     * @param metrics where outcomes are counted
     * @param replay number of the replay, the header's value
     * @param queue the only queue that gets them; null for where they usually go
     * @return the publisher
     */
    public static RabbitPublisher replaying(
            String source,
            Broker broker,
            BrokerSettings settings,
            PublishMetrics metrics,
            long replay,
            @Nullable String queue) {
        return new RabbitPublisher(
                broker,
                queue == null ? Route.of(settings.exchange()) : Route.constant(""),
                queue == null ? Route.of(settings.routingKey()) : Route.constant(queue),
                new Message(source, settings.cloudEvents(), replay),
                metrics);
    }

    @Override
    public boolean ready() {
        if (channel != null && !channel.isOpen() && outstanding.isEmpty()) {
            channel = null;
            signals.clear(); // all of them are of channels that are gone
        }
        if (!broker.ready()) {
            return false;
        }
        if (channel == null) {
            channel = broker.openChannel().map(this::listenTo).orElse(null);
            forgotten = false;
        }
        return channel != null && channel.isOpen();
    }

    @Override
    public void apart(boolean alone) {
        if (alone == (broker != shared)) {
            return;
        }
        close();
        channel = null;
        signals.clear();
        outstanding.clear();
        returned.clear();
        unflushed = 0;
        broker = alone ? shared.another() : shared;
        if (alone) {
            LOG.info(
                    "Source {}: the broker has closed the connection with an error of its own: events that were unanswered"
                            + " then are published one at a time on another connection",
                    shared.source());
            broker.start();
        }
    }

    /**
     * Why the connection that the lane has for itself does not take events; called by any thread.
     *
     * @return null when it does, or when there is none
     */
    public @Nullable String trouble() {
        Broker current = broker;
        return current == shared ? null : current.trouble().orElse(null);
    }

    @Override
    public void publish(Event event) {
        String target = exchange.of(event);
        String key = routingKey.of(event);
        byte[] payload = event.payload();
        if (payload == null) {
            answer(
                    event,
                    target,
                    new Outcome.Refused(
                            Reason.TOO_LARGE,
                            "the payload has " + event.payloadBytes()
                                    + " bytes, more than publish.max-event-bytes allows"));
        } else if (bytes(target) > LONGEST_NAME || bytes(key) > LONGEST_NAME) {
            answer(
                    event,
                    target,
                    new Outcome.Refused(
                            Reason.NOT_ENCODABLE,
                            "the exchange's name has " + bytes(target) + " bytes and the routing key " + bytes(key)
                                    + ", one of them more than " + LONGEST_NAME));
        } else {
            Optional<String> missing = broker.missing(target);
            if (missing.isPresent()) {
                answer(event, target, new Outcome.Returned(Reason.EXCHANGE_MISSING, missing.get()));
            } else {
                send(event, target, key, payload);
            }
        }
    }

    private void send(Event event, String target, String key, byte[] payload) {
        Channel current = channel;
        if (current == null) {
            answer(event, target, new Outcome.Unconfirmed("no channel"));
            return;
        }
        BasicProperties properties;
        try {
            properties = message.properties(event, payload, current);
        } catch (IllegalArgumentException e) {
            answer(event, target, new Outcome.Refused(Reason.NOT_ENCODABLE, "it cannot be encoded: " + e.getMessage()));
            return;
        }
        broker.holdBack(true);
        try {
            long tag = current.getNextPublishSeqNo();
            outstanding.put(tag, new Sent(event, target, System.nanoTime()));
            current.basicPublish(target, key, true, properties, payload);
        } catch (IOException | ShutdownSignalException e) {
            // The channel is gone, and says so by a signal of its own.
            LOG.debug("Publishing {} found the channel closed", event, e);
        } finally {
            broker.holdBack(false);
        }
        if (++unflushed >= BURST) {
            flush();
        }
    }

    @Override
    public void flush() {
        if (unflushed == 0) {
            return;
        }
        unflushed = 0;
        try {
            broker.flush();
        } catch (IOException e) {
            LOG.debug("Flushing found the connection closed", e);
        }
    }

    @Override
    public List<Answer> answers(Duration atMost) throws InterruptedException {
        if (answers.isEmpty()) {
            Signal first = signals.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
            if (first != null) {
                accept(first);
            }
        }
        for (Signal next = signals.poll(); next != null; next = signals.poll()) {
            accept(next);
        }
        List<Answer> all = List.copyOf(answers);
        answers.clear();
        return all;
    }

    @Override
    public void forget(Event event) {
        outstanding.values().removeIf(sent -> sent.event() == event);
        returned.remove(event.aggregate());
        forgotten = true;
        metrics.count(event, exchange.of(event), new Outcome.Unconfirmed("late"));
    }

    /**
     * Closes the channel; what is outstanding stays unanswered. A broker that blocks publishing would not read the request
     * and keep the lane from being given back: then the channel goes with the connection.
     */
    @Override
    public void close() {
        if (channel != null && broker.ready()) {
            abandon(channel);
        }
        if (broker != shared) {
            broker.close();
        }
    }

    /** Events that were published and are not answered. */
    int outstanding() {
        return outstanding.size();
    }

    /** What is kept beside them: answers not yet fetched, signals not yet read, returns not yet matched. */
    int kept() {
        return answers.size() + signals.size() + returned.size();
    }

    private void accept(Signal signal) {
        if (signal.channel() != channel) {
            return;
        }
        if (signal instanceof Signal.Acked ack) {
            settle(ack.tag(), ack.multiple(), null);
        } else if (signal instanceof Signal.Nacked nack) {
            settle(nack.tag(), nack.multiple(), "the broker did not take it; a queue may be full");
        } else if (signal instanceof Signal.Returned back) {
            if (outstanding.values().stream()
                    .anyMatch(sent -> sent.event().aggregate().equals(back.aggregate()))) {
                returned.put(back.aggregate(), back.detail());
            }
        } else if (signal instanceof Signal.Closed end) {
            closed(end);
        }
    }

    private void settle(long tag, boolean multiple, @Nullable String nacked) {
        if (multiple) {
            NavigableMap<Long, Sent> range = outstanding.headMap(tag, true);
            range.values().forEach(sent -> answer(sent, nacked));
            range.clear();
        } else {
            Sent sent = outstanding.remove(tag);
            if (sent != null) {
                answer(sent, nacked);
            }
        }
    }

    private void answer(Sent sent, @Nullable String nacked) {
        // The broker returns a message before it confirms it, and only one of an aggregate is in flight.
        String back = returned.isEmpty() ? null : returned.remove(sent.event().aggregate());
        Outcome outcome;
        if (back != null) {
            outcome = new Outcome.Returned(Reason.UNROUTABLE, back);
        } else if (nacked != null) {
            outcome = new Outcome.Nacked(nacked);
        } else {
            outcome = Outcome.CONFIRMED;
            metrics.time(System.nanoTime() - sent.at());
        }
        answer(sent.event(), sent.exchange(), outcome);
    }

    private void answer(Event event, String target, Outcome outcome) {
        metrics.count(event, target, outcome);
        answers.add(new Answer(event, outcome));
    }

    private void closed(Signal.Closed end) {
        Collection<Sent> lost = List.copyOf(outstanding.values());
        Reason suspected = forgotten ? null : end.suspected();
        outstanding.clear();
        returned.clear();
        channel = null;
        unflushed = 0;
        broker.forgetExchanges();
        lost.forEach(sent -> answer(sent.event(), sent.exchange(), new Outcome.Unconfirmed(end.detail(), suspected)));
    }

    private Channel listenTo(Channel opened) {
        opened.addConfirmListener(new ConfirmListener() {
            @Override
            public void handleAck(long tag, boolean multiple) {
                signals.add(new Signal.Acked(opened, tag, multiple));
            }

            @Override
            public void handleNack(long tag, boolean multiple) {
                signals.add(new Signal.Nacked(opened, tag, multiple));
            }
        });
        opened.addReturnListener(back -> signals.add(new Signal.Returned(
                opened,
                Message.aggregate(back.getProperties()),
                "%d %s: no queue is bound to the exchange '%s' for the routing key '%s'"
                        .formatted(
                                back.getReplyCode(), back.getReplyText(), back.getExchange(), back.getRoutingKey()))));
        opened.addShutdownListener(
                cause -> signals.add(new Signal.Closed(opened, ConnectionTrouble.inWords(cause), suspected(cause))));
        return opened;
    }

    /** What an event may have caused that was unanswered. A connection that an administrator closes is nobody's fault. */
    private static @Nullable Reason suspected(ShutdownSignalException cause) {
        if (cause.isInitiatedByApplication()) {
            return null;
        }
        if (!cause.isHardError()) {
            return cause.getReason() instanceof AMQP.Channel.Close close && close.getReplyCode() == AMQP.ACCESS_REFUSED
                    ? Reason.FORBIDDEN
                    : Reason.CLOSES_CHANNEL;
        }
        return cause.getReason() instanceof AMQP.Connection.Close close
                        && close.getReplyCode() != AMQP.CONNECTION_FORCED
                ? Reason.CLOSES_CONNECTION
                : null;
    }

    private static int bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length;
    }

    private static void abandon(Channel channel) {
        try {
            channel.abort();
        } catch (IOException | ShutdownSignalException e) {
            LOG.debug("Closing a channel found it closed", e);
        }
    }
}
