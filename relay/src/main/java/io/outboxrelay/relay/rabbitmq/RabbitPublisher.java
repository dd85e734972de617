package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConfirmListener;
import com.rabbitmq.client.ShutdownSignalException;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.rabbitmq.Outstanding.Identity;
import io.outboxrelay.relay.rabbitmq.Outstanding.Sent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes one lane's events on a channel of its own and matches the broker's answers with them.
 *
 * <p>All state belongs to the lane's thread. The connection's thread only appends signals to a queue; each names the
 * channel that it belongs to, so that a late one of an old channel is never taken for one of the new.
 *
 * <p>An event whose answer is late is not sent a second time on the same channel: the broker may still hold it.
 * Publishing it again asks for the answer to the first message. After a while the event is said to be
 * {@link Reason#UNANSWERED}, and after a longer one the channel is replaced, in case that the broker has lost the
 * answer.
 */
public final class RabbitPublisher implements Publisher, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RabbitPublisher.class);

    /** The socket is written after so many events; more would only add latency. */
    private static final int BURST = 64;

    /** Of an exchange's name and of a routing key, in bytes. */
    private static final int LONGEST_NAME = 255;

    /** Then an event without an answer leaves the outbox, so that claims need not skip it again and again. */
    private static final Duration UNANSWERED_AFTER = Duration.ofSeconds(30);

    /** Then the channel is replaced, and everything unanswered is sent once more; this doubles each time. */
    private static final Duration FIRST_PATIENCE = Duration.ofMinutes(5);

    private static final Duration LONGEST_PATIENCE = Duration.ofHours(1);

    /** Maximum of messages on a channel whose answer is late; beyond it the channel is replaced. */
    private static final int MOST_LATE = 20_000;

    private final Broker shared;
    private final Template exchange;
    private final Template routingKey;
    private final Message message;
    private final PublishMetrics metrics;

    /** Whether what comes back was to be tried, so that nobody has to hear of it. */
    private final boolean mayReturn;

    private final LongSupplier nanoTime;
    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final Outstanding outstanding = new Outstanding();
    private final List<Answer> answers = new ArrayList<>();

    /** Returned events, as long as it is not known whether a queue is down. */
    private final Set<Event> inDoubt = new HashSet<>();

    /**
     * Events whose confirm came late, with their positions: a confirm is for one row only. An event that is forgotten
     * here is only sent once more.
     */
    private final Map<Identity, Long> confirmedLate = new LinkedHashMap<>();

    private volatile @Nullable Silence silence;

    /** The shared one, or one of its own. */
    private volatile Broker broker;

    private @Nullable Channel channel;
    private volatile boolean withoutChannel;
    private int unflushed;
    private Duration patience = FIRST_PATIENCE;

    /** A message to the lane's thread: from the connection's about a channel, or the verdict about a returned event. */
    private sealed interface Signal {

        /** Returns the channel that it is about; null when it is about none. */
        @Nullable
        Channel channel();

        record Acked(Channel channel, long tag, boolean multiple) implements Signal {}

        record Nacked(Channel channel, long tag, boolean multiple) implements Signal {}

        record Returned(Channel channel, Identity identity, String detail) implements Signal {}

        record Closed(
                Channel channel, String detail, @Nullable Reason suspected) implements Signal {}

        record Judged(Event event, String exchange, Outcome outcome) implements Signal {

            @Override
            public @Nullable Channel channel() {
                return null;
            }
        }
    }

    /**
     * The events of one channel that the broker has not answered in time.
     *
     * @param events how many
     * @param since when the oldest was published, by {@link System#nanoTime()}
     * @param exchange where the oldest went
     * @param routingKey its routing key
     */
    public record Silence(int events, long since, String exchange, String routingKey) {}

    /**
     * @param source name of the source
     * @param broker the source's connection
     * @param settings where events go
     * @param metrics where outcomes are counted
     */
    public RabbitPublisher(String source, Broker broker, BrokerSettings settings, PublishMetrics metrics) {
        this(source, broker, settings, metrics, System::nanoTime);
    }

    /** For a test that sets the clock. */
    RabbitPublisher(
            String source, Broker broker, BrokerSettings settings, PublishMetrics metrics, LongSupplier nanoTime) {
        this(
                broker,
                Template.of(settings.exchange()),
                Template.of(settings.routingKey()),
                new Message(source, settings.cloudEvents(), null),
                metrics,
                false,
                nanoTime);
    }

    private RabbitPublisher(
            Broker broker,
            Template exchange,
            Template routingKey,
            Message message,
            PublishMetrics metrics,
            boolean mayReturn,
            LongSupplier nanoTime) {
        this.mayReturn = mayReturn;
        this.shared = broker;
        this.broker = broker;
        this.exchange = exchange;
        this.routingKey = routingKey;
        this.message = message;
        this.metrics = metrics;
        this.nanoTime = nanoTime;
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
                queue == null ? Template.of(settings.exchange()) : Template.constant(""),
                queue == null ? Template.of(settings.routingKey()) : Template.constant(queue),
                new Message(source, settings.cloudEvents(), replay),
                metrics,
                false,
                System::nanoTime);
    }

    /**
     * A publisher of the history of a consumer's queue: of the events that were published before it was bound. What the
     * queue is not bound to is returned.
     *
     * @param source name of the source
     * @param broker a connection
     * @param settings where events usually go
     * @param metrics where outcomes are counted
     * @param number of the subscription in the audit, the value of the header {@code outbox_replay}
     * @param queue the consumer's queue
     * @return the publisher
     */
    public static RabbitPublisher ofHistory(
            String source, Broker broker, BrokerSettings settings, PublishMetrics metrics, long number, String queue) {
        return new RabbitPublisher(
                broker,
                Template.of(settings.exchange()).after(HistoryQueue.entry(queue)),
                Template.of(settings.routingKey()),
                new Message(source, settings.cloudEvents(), number),
                metrics,
                true,
                System::nanoTime);
    }

    @Override
    public boolean ready() {
        if (channel != null && !channel.isOpen() && outstanding() == 0) {
            acceptAll(); // late confirms, and that it was closed
            leaveChannel();
        }
        if (!broker.ready()) {
            return false;
        }
        if (channel != null && outstanding() == 0 && isOverdue()) {
            replaceChannel(channel);
        }
        if (channel == null) {
            channel = broker.openChannel().map(this::listenTo).orElse(null);
            withoutChannel = channel == null;
        }
        return channel != null && channel.isOpen();
    }

    /** Returns whether answers are so late, or so many of them are, that the channel should be replaced. */
    private boolean isOverdue() {
        return outstanding.late() >= MOST_LATE
                || outstanding
                        .oldestLate()
                        .filter(sent -> nanoTime.getAsLong() - sent.at() > patience.toNanos())
                        .isPresent();
    }

    private void replaceChannel(Channel overdue) {
        LOG.warn(
                Help.about(Reason.UNANSWERED),
                "Source {}: the broker has not answered for {} s, with {} unanswered on one channel: replacing the"
                        + " channel and sending what is unanswered once more",
                shared.source(),
                outstanding
                        .oldestLate()
                        .map(sent -> TimeUnit.NANOSECONDS.toSeconds(nanoTime.getAsLong() - sent.at()))
                        .orElse(0L),
                Count.of(outstanding.late(), "event"));
        abandon(overdue);
        leaveChannel();
    }

    /** Gives up the answers of the channel, and ignores its signals. */
    private void leaveChannel() {
        loseChannel();
        signals.removeIf(signal -> signal.channel() != null);
    }

    /** Gives the next channel more time if answers were late. Returns the messages whose answer the lane waited for. */
    private List<Sent> loseChannel() {
        if (outstanding.late() > 0) {
            Duration doubled = patience.multipliedBy(2);
            patience = doubled.compareTo(LONGEST_PATIENCE) < 0 ? doubled : LONGEST_PATIENCE;
        }
        channel = null;
        unflushed = 0;
        List<Sent> lost = outstanding.clear();
        listenToSilence();
        return lost;
    }

    @Override
    public void apart(boolean alone) {
        if (alone == (broker != shared)) {
            return;
        }
        close();
        leaveChannel();
        broker = alone ? shared.another() : shared;
        if (alone) {
            LOG.info(
                    "Source {}: the broker has closed the connection because of an internal error; events that were"
                            + " unanswered are published one at a time on another connection",
                    shared.source());
            broker.start();
        }
    }

    /**
     * Says why the lane has no channel, or why its own connection takes no events. Any thread may call it.
     *
     * @return the reason; null when there is none
     */
    public @Nullable String trouble() {
        Broker current = broker;
        Optional<String> own = current == shared ? Optional.empty() : current.trouble();
        return own.orElse(withoutChannel ? current.channelTrouble() : null);
    }

    /**
     * Returns the events that the broker has not answered in time. Any thread may call it.
     *
     * @return null when there are none
     */
    public @Nullable Silence silence() {
        return silence;
    }

    @Override
    public void publish(Event event) {
        Optional<Sent> held = outstanding.of(event);
        if (held.isPresent()) {
            answers.add(new Answer(event, unanswered(held.get())));
        } else if (confirmedLate.remove(Identity.of(event), event.position())) {
            answer(event, exchange.of(event), Outcome.CONFIRMED);
        } else {
            publishAnew(event);
        }
    }

    private Outcome unanswered(Sent held) {
        long waited = nanoTime.getAsLong() - held.at();
        return waited < UNANSWERED_AFTER.toNanos()
                ? new Outcome.Unconfirmed(inWords(held, waited))
                : new Outcome.Nacked(Reason.UNANSWERED, inWords(held, waited));
    }

    private static String inWords(Sent sent, long waited) {
        return ("the broker has not answered for %d s and may still hold it: %s; the queue may be slow, or a quorum"
                        + " queue without its majority")
                .formatted(TimeUnit.NANOSECONDS.toSeconds(waited), route(sent.exchange(), sent.routingKey()));
    }

    /** Where an event went or should have gone: part of the text of every failure. */
    private static String route(String exchange, String routingKey) {
        return "exchange '%s', routing key '%s'".formatted(exchange, routingKey);
    }

    private void publishAnew(Event event) {
        String target = exchange.of(event);
        String key = routingKey.of(event);
        byte[] payload = event.payload();
        if (payload == null) {
            answer(
                    event,
                    target,
                    new Outcome.Refused(
                            Reason.TOO_LARGE,
                            "the payload has " + event.payloadBytes() + " bytes, more than publish.max-event-bytes"
                                    + " allows: "
                                    + route(target, key)));
        } else if (bytes(target) > LONGEST_NAME || bytes(key) > LONGEST_NAME) {
            answer(
                    event,
                    target,
                    new Outcome.Refused(
                            Reason.NOT_ENCODABLE,
                            "the exchange's name has " + bytes(target) + " bytes and the routing key " + bytes(key)
                                    + ", one of them more than " + LONGEST_NAME + ": " + route(target, key)));
        } else {
            Optional<String> missing = broker.missing(target);
            if (missing.isPresent()) {
                answer(
                        event,
                        target,
                        new Outcome.Returned(Reason.EXCHANGE_MISSING, missing.get() + "; routing key '" + key + "'"));
            } else {
                send(event, target, key, payload);
            }
        }
    }

    private void send(Event event, String target, String key, byte[] payload) {
        Channel current = channel;
        if (current == null) {
            answer(event, target, new Outcome.Unconfirmed("no channel: " + route(target, key)));
            return;
        }
        BasicProperties properties;
        try {
            properties = message.properties(event, payload, current);
        } catch (IllegalArgumentException e) {
            answer(
                    event,
                    target,
                    new Outcome.Refused(
                            Reason.NOT_ENCODABLE,
                            "it cannot be encoded: " + e.getMessage() + "; " + route(target, key)));
            return;
        }
        broker.holdBack(true);
        try {
            long tag = current.getNextPublishSeqNo();
            outstanding.add(tag, event, target, key, nanoTime.getAsLong());
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
        acceptAll();
        List<Answer> all = List.copyOf(answers);
        answers.clear();
        return all;
    }

    @Override
    public void forget(Event event) {
        inDoubt.remove(event);
        outstanding.forget(event).ifPresent(sent -> {
            metrics.count(
                    event, sent.exchange(), new Outcome.Unconfirmed(inWords(sent, nanoTime.getAsLong() - sent.at())));
            listenToSilence();
        });
    }

    /**
     * Closes the channel; outstanding events stay unanswered. A broker that blocks publishing would not read the
     * request, and so delay the release of the lane: then the channel ends with the connection.
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

    /** Returns how many published events are not answered. */
    int outstanding() {
        return outstanding.awaited() + inDoubt.size();
    }

    /** Returns how much else is kept: answers not fetched, signals not read, messages whose answer is late. */
    int kept() {
        return answers.size() + signals.size() + outstanding.late() + confirmedLate.size();
    }

    private void acceptAll() {
        for (Signal next = signals.poll(); next != null; next = signals.poll()) {
            accept(next);
        }
    }

    private void accept(Signal signal) {
        if (signal instanceof Signal.Judged judged) {
            if (inDoubt.remove(judged.event())) {
                answer(judged.event(), judged.exchange(), judged.outcome());
            }
            return;
        }
        if (signal.channel() != channel) {
            return;
        }
        if (signal instanceof Signal.Acked ack) {
            settle(ack.tag(), ack.multiple(), null);
        } else if (signal instanceof Signal.Nacked nack) {
            settle(
                    nack.tag(),
                    nack.multiple(),
                    "the broker did not take it: a queue is full, or the node of a queue is down");
        } else if (signal instanceof Signal.Returned back) {
            outstanding.returned(back.identity(), back.detail()); // always comes before the confirm
        } else if (signal instanceof Signal.Closed end) {
            closed(end);
        }
    }

    private void settle(long tag, boolean multiple, @Nullable String nacked) {
        int late = outstanding.late();
        for (Sent sent : outstanding.answered(tag, multiple)) {
            boolean confirmed = nacked == null && sent.returned() == null;
            if (confirmed) {
                metrics.time(nanoTime.getAsLong() - sent.at());
            }
            if (sent.event() == null) {
                if (confirmed) {
                    rememberConfirmed(sent);
                }
            } else if (sent.returned() != null) {
                judge(sent.event(), sent.exchange(), sent.returned());
            } else {
                answer(
                        sent.event(),
                        sent.exchange(),
                        nacked == null
                                ? Outcome.CONFIRMED
                                : new Outcome.Nacked(nacked + "; " + route(sent.exchange(), sent.routingKey())));
            }
        }
        if (late != outstanding.late()) {
            patience = FIRST_PATIENCE; // it answers
            listenToSilence();
        }
    }

    private void rememberConfirmed(Sent sent) {
        if (confirmedLate.size() >= MOST_LATE) {
            confirmedLate.remove(confirmedLate.keySet().iterator().next());
        }
        confirmedLate.put(sent.identity(), sent.position());
    }

    private void listenToSilence() {
        silence = outstanding
                .oldestLate()
                .map(oldest -> new Silence(outstanding.late(), oldest.at(), oldest.exchange(), oldest.routingKey()))
                .orElse(null);
    }

    /** The event has done nothing wrong if its queue is down. That must be asked after the event came back. */
    private void judge(Event event, String target, String back) {
        broker.askForQueues()
                .ifPresentOrElse(
                        asked -> {
                            inDoubt.add(event);
                            asked.thenAccept(
                                    said -> signals.add(new Signal.Judged(event, target, outcome(back, said))));
                        },
                        () -> answer(event, target, new Outcome.Returned(Reason.UNROUTABLE, back)));
    }

    private static Outcome outcome(String back, Management.Answer said) {
        if (said instanceof Management.Answer.Down down) {
            return new Outcome.Nacked(Reason.QUEUE_DOWN, back + "; queues of this virtual host are " + down.inWords());
        }
        return said instanceof Management.Answer.Unknown
                ? new Outcome.Returned(
                        Reason.UNROUTABLE, back + "; the management API does not say whether a queue is down", true)
                : new Outcome.Returned(Reason.UNROUTABLE, back);
    }

    private void answer(Event event, String target, Outcome outcome) {
        if (!(mayReturn && outcome instanceof Outcome.Returned)) {
            metrics.count(event, target, outcome);
        }
        answers.add(new Answer(event, outcome));
    }

    private void closed(Signal.Closed end) {
        // While answers are late, it is not known which event closed the channel.
        Reason suspected = outstanding.late() > 0 ? null : end.suspected();
        broker.forgetExchanges();
        for (Sent sent : loseChannel()) {
            if (sent.event() != null) {
                answer(
                        sent.event(),
                        sent.exchange(),
                        new Outcome.Unconfirmed(
                                end.detail() + "; " + route(sent.exchange(), sent.routingKey()), suspected));
            }
        }
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
                Message.identity(back.getProperties()),
                "no queue is bound to exchange '%s' for routing key '%s' (%d %s)"
                        .formatted(
                                back.getExchange(), back.getRoutingKey(), back.getReplyCode(), back.getReplyText()))));
        opened.addShutdownListener(
                cause -> signals.add(new Signal.Closed(opened, ConnectionTrouble.inWords(cause), suspected(cause))));
        return opened;
    }

    /** Returns what an unanswered event may have caused; null when an administrator has closed the connection. */
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
