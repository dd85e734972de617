package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import io.outboxrelay.client.Taken.Origin;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One queue that is consumed over one channel. It ends with the channel, when the broker cancels the consumer, or when
 * it is let go of; nothing of it is carried over into the next one, because delivery tags have a meaning only on their
 * own channel. Whatever was not acknowledged by then the broker delivers again.
 *
 * <p>Where the order matters, the broker sends ahead from the beginning, as many to each consumer of the queue. A
 * quorum queue puts what comes back behind everything that came back before (seen on 3.10, 4.0 and 4.3). So the order
 * is kept only if a consumer has all in hand that came back, before it can give something back itself.
 *
 * <p>Elsewhere it begins with one delivery at a time. As long as the broker says that these have failed before, that
 * stays so: an event that ends one subscription after the other, with the consumer's process or its database, is then
 * in hand alone, and raises no other's delivery count. With the first that has not, the broker may send ahead.
 *
 * <p>The broker's client adds deliveries from its threads, workers settle them, the consumer's own thread lets go of
 * it.
 */
final class Subscription implements Origin {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** As a delivery tag: all that the channel has delivered. */
    private static final long EVERYTHING = 0;

    private final Channel channel;
    private final ConsumerSettings settings;
    private final String queue;
    private final boolean isHistory;
    private final int prefetch;
    private final Consumer<Taken> worker;
    private final ConsumerCounts counts;
    private final Runnable changed;

    /** What was delivered and is not forgotten by the broker, in the order of the tags. */
    private final Deque<Taken> inHand = new ArrayDeque<>();

    /** Those in hand that end a history, instead of being events. */
    private final Set<Taken> ends = new HashSet<>();

    private volatile String consumerTag = "";
    private boolean sendsAhead;
    private boolean lettingGo;
    private boolean overloaded;
    private long bytes;
    private int fitting;
    private int running;

    /** How many in hand are settled, and how many of these are newer than the last acknowledgement. */
    private int settled;

    private int settledSince;
    private volatile @Nullable String ended;

    private Subscription(
            Channel channel,
            ConsumerSettings settings,
            String queue,
            int prefetch,
            Consumer<Taken> worker,
            ConsumerCounts counts,
            Runnable changed) {
        this.counts = counts;
        this.changed = changed;
        this.channel = channel;
        this.settings = settings;
        this.queue = queue;
        this.isHistory = settings.isHistory(queue);
        this.prefetch = prefetch;
        this.fitting = prefetch;
        this.worker = worker;
    }

    /**
     * Starts taking deliveries.
     *
     * @param prefetch how many the broker may send ahead
     * @param worker gets each delivery, in the order of the queue
     * @param changed called when it has ended or is overloaded
     */
    static Subscription open(
            Connection connection,
            ConsumerSettings settings,
            String queue,
            int prefetch,
            Consumer<Taken> worker,
            ConsumerCounts counts,
            Runnable changed)
            throws IOException {
        Subscription subscription =
                new Subscription(connection.createChannel(), settings, queue, prefetch, worker, counts, changed);
        synchronized (subscription) {
            subscription.sendsAhead = settings.isOrdered();
            subscription.consume(settings.isOrdered() ? prefetch : 1);
        }
        return subscription;
    }

    /** The limit applies to consumers that begin after it was set. */
    private void consume(int most) throws IOException {
        channel.basicQos(most);
        consumerTag = channel.basicConsume(
                queue,
                false,
                (tag, delivery) -> take(delivery),
                tag -> end("the broker cancelled the consumer"),
                (tag, signal) -> end(signal.getMessage()));
    }

    private void end(String reason) {
        ended = reason;
        changed.run();
    }

    /** Why it has ended, if it has. */
    Optional<String> ended() {
        return Optional.ofNullable(ended);
    }

    /** Whether more bytes were delivered than may be in hand: it takes nothing more, and has to be opened again. */
    synchronized boolean overloaded() {
        return overloaded;
    }

    /** How many deliveries it should send ahead, so that they are about half of the bytes that may be in hand. */
    synchronized int fittingPrefetch() {
        return fitting;
    }

    private synchronized void take(Delivery delivery) throws IOException {
        if (lettingGo || overloaded) {
            return;
        }
        long tag = delivery.getEnvelope().getDeliveryTag();
        Optional<ReceivedEvent> event = ReceivedEvent.from(delivery);
        if (event.isEmpty()) {
            LOG.warn(
                    "A message in the queue {} from the exchange {} with the routing key {} has no UUID as message_id:"
                            + " it goes to {}",
                    queue,
                    ForeignText.printable(delivery.getEnvelope().getExchange()),
                    ForeignText.printable(delivery.getEnvelope().getRoutingKey()),
                    settings.deadLetters());
            counts.deadLettered.incrementAndGet();
            channel.basicReject(tag, false);
            return;
        }
        Taken taken = new Taken(this, tag, event.get(), isSuspect(delivery));
        inHand.add(taken);
        if (isHistory && event.get().headers().containsKey(ConsumerQueue.HISTORY_END_HEADER)) {
            ends.add(taken);
            signalEnd();
            return;
        }
        bytes += taken.event().payload().length;
        worker.accept(taken);
        if (bytes > settings.prefetchBytes() && inHand.size() > 1) {
            overloaded = true;
            fitting = (int) Math.max(1, Math.min(prefetch, inHand.size() * settings.prefetchBytes() / bytes / 2));
            changed.run();
        }
    }

    /** A queue that does not count, as a classic one, only says that it may have delivered it before. */
    private boolean isSuspect(Delivery delivery) {
        Map<String, Object> headers = delivery.getProperties().getHeaders();
        Object count = headers == null ? null : headers.get("x-delivery-count");
        if (count == null && headers != null && headers.containsKey("x-acquired-count")) {
            return false; // since RabbitMQ 4.3: it came back, and none of that counts
        }
        return delivery.getEnvelope().isRedeliver()
                && !(count instanceof Number number && number.longValue() < settings.suspectAfter());
    }

    @Override
    public String queue() {
        return queue;
    }

    @Override
    public synchronized boolean begin() {
        if (isOpen()) {
            running++;
            return true;
        }
        return false;
    }

    @Override
    public synchronized void end() {
        running--;
        notifyAll();
        if (running == 0 && lettingGo) {
            changed.run();
        }
    }

    @Override
    public synchronized boolean isOpen() {
        return ended == null && !lettingGo;
    }

    @Override
    public synchronized void done(Taken taken) {
        try {
            sendAheadAfter(taken);
            taken.settled = true;
            settled++;
            settledSince++;
            // At a quarter of what may be in hand the broker can send while the rest is worked on.
            if (settled + ends.size() == inHand.size() || settledSince >= prefetch / 4) {
                acknowledgeFirst();
                // What one slow worker holds up may be a half.
                if (settled > prefetch / 2) {
                    acknowledge();
                }
                signalEnd();
            }
        } catch (IOException | RuntimeException e) {
            lost(e);
        }
    }

    /** While the delivery is unacknowledged, nothing can arrive between the one consumer and the other. */
    private void sendAheadAfter(Taken taken) throws IOException {
        if (!sendsAhead && prefetch > 1 && !taken.isSuspect()) {
            sendsAhead = true;
            channel.basicCancel(consumerTag);
            consume(prefetch);
        }
    }

    /** All up to the first that is in work, with one frame. */
    private void acknowledgeFirst() throws IOException {
        settledSince = 0;
        long upTo = 0;
        while (!inHand.isEmpty() && inHand.peek().settled) {
            Taken taken = inHand.remove();
            forget(taken);
            upTo = taken.tag();
        }
        if (upTo > 0) {
            channel.basicAck(upTo, true);
        }
    }

    /** The others too, with a frame for each. */
    private void acknowledge() throws IOException {
        acknowledgeFirst();
        for (var each = inHand.iterator(); each.hasNext() && settled > 0; ) {
            Taken taken = each.next();
            if (taken.settled) {
                each.remove();
                forget(taken);
                channel.basicAck(taken.tag(), false);
            }
        }
    }

    private void forget(Taken taken) {
        settled--;
        bytes -= taken.event().payload().length;
    }

    private void signalEnd() {
        if (isAtEnd()) {
            changed.run();
        }
    }

    private boolean isAtEnd() {
        Taken head = inHand.peek();
        return head != null && ends.contains(head);
    }

    /**
     * Whether the history has ended: its end is the next, since all before it is done, and nothing follows. What
     * follows is a history that was sent once more, and that has an end of its own.
     *
     * @return the id of the end
     */
    Optional<UUID> historyEnd() throws IOException {
        if (!isOnlyEndLeft()) {
            return Optional.empty();
        }
        // Not under the lock: while it waits for the broker's answer, deliveries arrive.
        boolean followed = channel.messageCount(queue) > 0;
        synchronized (this) {
            if (followed || inHand.size() > 1) {
                forgetEnd();
                return Optional.empty();
            }
            return Optional.ofNullable(inHand.peek()).map(end -> end.event().id());
        }
    }

    private synchronized boolean isOnlyEndLeft() {
        return ended == null && isAtEnd();
    }

    /** The end of the history is remembered, or another one follows. */
    synchronized void forgetEnd() {
        if (isAtEnd()) {
            Taken end = inHand.element();
            ends.remove(end);
            done(end);
        }
    }

    /** Tells the broker what is done and would have to wait for more. Called every second. */
    synchronized void acknowledgeRest() {
        if (settled > 0) {
            try {
                acknowledge();
            } catch (IOException | RuntimeException e) {
                lost(e);
            }
        }
    }

    @Override
    public synchronized void reject(Taken taken) {
        try {
            sendAheadAfter(taken);
            inHand.remove(taken);
            bytes -= taken.event().payload().length;
            channel.basicReject(taken.tag(), false);
        } catch (IOException | RuntimeException e) {
            lost(e);
        }
    }

    /** The broker delivers again what it was not told; the inbox knows what was done. */
    private void lost(Exception e) {
        if (ended == null) {
            ended = String.valueOf(e.getMessage());
        }
    }

    /** Takes nothing more and begins nothing more. What is in work may finish. */
    synchronized void letGo() {
        lettingGo = true;
    }

    /** Whether it takes nothing more. */
    synchronized boolean isLettingGo() {
        return lettingGo;
    }

    /** Whether something is in work. */
    synchronized boolean isRunning() {
        return running > 0;
    }

    /** Waits until nothing is in work, for the given time at most. */
    synchronized boolean awaitIdle(Duration time) throws InterruptedException {
        long until = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); running > 0 && left > 0; left = until - System.nanoTime()) {
            wait(Math.max(1, Duration.ofNanos(left).toMillis()));
        }
        return running == 0;
    }

    /**
     * Acknowledges what is done, and gives back the rest. Where one consumer is active at a time, closing the channel
     * does both at once, so that the next one begins with what comes back; if this one were cancelled first, later
     * events would be delivered before. Elsewhere a nack gives back: the broker counts a closed channel as a failed
     * delivery, and on RabbitMQ 4.3 not a nack.
     */
    void close() {
        letGo();
        try {
            // Not under the lock: while it waits for the broker's answer, deliveries arrive.
            if (ended == null && !settings.isOrdered()) {
                channel.basicCancel(consumerTag);
            }
            synchronized (this) {
                acknowledge();
            }
            if (!settings.isOrdered()) {
                channel.basicNack(EVERYTHING, true, true);
            }
            channel.close(AMQP.REPLY_SUCCESS, "done");
        } catch (IOException | TimeoutException | RuntimeException e) {
            // The connection is gone: what was done will be delivered again, and the inbox knows it.
            lost(e);
        }
    }
}
