package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.CancelCallback;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ConsumerShutdownSignalCallback;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.LongStringHelper;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Quorum queues, and the connections to them. What comes back to a queue is delivered before all others, behind what
 * came back before, and its count grows; beyond the delivery limit it is dead. In a queue with an order the consumer
 * that came first is the only active one. What a client sends arrives later, or never if the connection breaks; and the
 * client learns later that it is broken.
 */
final class SimulatedBroker {

    private final SimulatedWorld world;
    private final boolean ordered;
    private final int deliveryLimit;
    /** RabbitMQ 4.3: what a client returns by a nack does not count as failed. */
    private final boolean countsNacks;

    private final Predicate<UUID> isDone;
    private final Map<String, SimulatedQueue> queues = new TreeMap<>();
    private final List<Link> links = new ArrayList<>();
    final List<UUID> deadLetters = new ArrayList<>();
    /** What a client has rejected, even if that did not arrive. */
    final Set<UUID> rejected = new HashSet<>();
    /** How often each event was delivered that was not suspected of ending processes. */
    final Map<UUID, Integer> unsuspected = new HashMap<>();

    private final int suspectAfter;
    private long lastTag;

    /** @param isDone whether the database has committed what became of an event, so that it may be acknowledged */
    SimulatedBroker(SimulatedWorld world, ConsumerQueue declaration, int suspectAfter, Predicate<UUID> isDone) {
        this.world = world;
        this.suspectAfter = suspectAfter;
        this.ordered = declaration.ordered();
        this.deliveryLimit = declaration.deliveryLimit();
        this.countsNacks = world.draw(2) == 0;
        this.isDone = isDone;
        declaration.queues().forEach(name -> queues.put(name, new SimulatedQueue()));
    }

    /** An event as it was published. */
    record Message(UUID id, String aggregate, int bytes) {}

    void publish(String queue, Message message) {
        queues.get(queue).ready.add(new Copy(message));
        queues.get(queue).send();
    }

    /** Whether nothing is left, and nothing is unacknowledged. */
    boolean isEmpty() {
        return queues.values().stream().allMatch(queue -> queue.ready.isEmpty() && queue.returned.isEmpty())
                && links.stream().allMatch(link -> link.channels.stream().allMatch(each -> each.unacked.isEmpty()));
    }

    String left() {
        return queues + " "
                + links.stream()
                        .flatMap(link -> link.channels.stream())
                        .map(each -> each.unacked.values())
                        .toList();
    }

    /** How a process connects. */
    ConnectionFactory factory(Object process) {
        return new ConnectionFactory() {
            @Override
            public Connection newConnection(String name) throws IOException {
                world.meanwhile();
                if (world.chance(world.trouble())) {
                    world.noted("broker away");
                    throw new IOException("connection refused");
                }
                Link link = new Link(process);
                links.add(link);
                return proxy(Connection.class, link);
            }
        };
    }

    /** What arrives at last, at the broker and at its clients. */
    void goesOn() {
        for (int i = links.size() - 1; i >= 0; i--) {
            Link link = links.get(i);
            if (!link.closed && !world.isAlive(link.process) && !world.chance(0.7)) {
                link.lose();
            }
            for (ClientChannel channel : link.channels) {
                while (!channel.sent.isEmpty() && !world.chance(0.3)) {
                    channel.sent.remove().run();
                }
                while (world.takes(link.process) && !channel.arriving.isEmpty() && !world.chance(0.3)) {
                    channel.arriving.remove().run();
                }
            }
            if (link.closed && world.takes(link.process) && !world.chance(0.7)) {
                link.learn();
            }
            if (link.closed && (link.known || !world.isAlive(link.process))) {
                links.remove(i);
            }
        }
    }

    /** A connection of this process breaks, for instance because it missed its heartbeats. */
    void loseConnection(Object process) {
        for (Link link : List.copyOf(links)) {
            if (link.process == process && !link.closed) {
                link.lose();
            }
        }
    }

    /** The broker cancels a consumer, for example because it held deliveries for too long. */
    void cancelConsumer() {
        List<Subscriber> all = queues.values().stream()
                .flatMap(queue -> queue.subscribers.stream())
                .toList();
        if (!all.isEmpty()) {
            world.noted("consumer cancelled by the broker");
            all.get(world.draw(all.size())).cancelled();
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(
                Proxy.newProxyInstance(SimulatedBroker.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static ShutdownSignalException shutdown() {
        return new ShutdownSignalException(true, false, null, null);
    }

    /** A message in a queue. */
    private static final class Copy {

        private final Message message;
        private int failedDeliveries;
        private int deliveries;

        Copy(Message message) {
            this.message = message;
        }

        @Override
        public String toString() {
            return message.id() + " delivered " + deliveries;
        }
    }

    private final class SimulatedQueue {

        private final Deque<Copy> returned = new ArrayDeque<>();
        private final Deque<Copy> ready = new ArrayDeque<>();
        private final List<Subscriber> subscribers = new ArrayList<>();

        /** Sends as much as the active consumers may have in hand. */
        void send() {
            Subscriber next = next();
            while (next != null && !(returned.isEmpty() && ready.isEmpty())) {
                next.deliver(returned.isEmpty() ? ready.remove() : returned.remove());
                next = next();
            }
        }

        private @Nullable Subscriber next() {
            if (subscribers.isEmpty()) {
                return null;
            }
            int first = ordered ? 0 : world.draw(subscribers.size());
            for (int i = 0; i < (ordered ? 1 : subscribers.size()); i++) {
                Subscriber subscriber = subscribers.get((first + i) % subscribers.size());
                if (subscriber.inHand < subscriber.prefetch) {
                    return subscriber;
                }
            }
            return null;
        }

        void takeBack(Copy copy, boolean failed) {
            if (failed && ++copy.failedDeliveries > deliveryLimit) {
                world.noted("delivered too often");
                deadLetters.add(copy.message.id());
            } else {
                returned.add(copy);
            }
        }

        @Override
        public String toString() {
            return "returned " + returned + ", ready " + ready + ", consumers " + subscribers.size();
        }
    }

    private record Unacked(Copy copy, Subscriber subscriber) {

        @Override
        public String toString() {
            return copy.toString();
        }
    }

    /** One consumer of one queue. */
    private final class Subscriber {

        private final SimulatedQueue queue;
        private final ClientChannel channel;
        private final int prefetch;
        private final String tag = "consumer " + ++lastTag;
        private final DeliverCallback onDelivery;
        private final CancelCallback onCancel;
        private int inHand;

        Subscriber(
                SimulatedQueue queue,
                ClientChannel channel,
                int prefetch,
                DeliverCallback onDelivery,
                CancelCallback onCancel) {
            this.queue = queue;
            this.channel = channel;
            this.prefetch = prefetch;
            this.onDelivery = onDelivery;
            this.onCancel = onCancel;
        }

        void deliver(Copy copy) {
            long deliveryTag = ++channel.lastTag;
            channel.unacked.put(deliveryTag, new Unacked(copy, this));
            inHand++;
            Delivery delivery = delivery(deliveryTag, copy);
            if (copy.failedDeliveries < suspectAfter) {
                unsuspected.merge(copy.message.id(), 1, Integer::sum);
            }
            world.traced("sent over " + tag + ": " + copy);
            copy.deliveries++;
            channel.arriving.add(() -> {
                try {
                    onDelivery.handle(tag, delivery);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
        }

        void cancelled() {
            queue.subscribers.remove(this);
            channel.takeBack(unacked -> unacked.subscriber == this, countsNacks);
            channel.arriving.add(() -> {
                try {
                    onCancel.handle(tag);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            queue.send();
        }
    }

    private static Delivery delivery(long tag, Copy copy) {
        Message message = copy.message;
        Map<String, Object> headers = new HashMap<>();
        if (!message.aggregate().isEmpty()) {
            headers.put("aggregate_type", LongStringHelper.asLongString("order"));
            headers.put("aggregate_id", LongStringHelper.asLongString(message.aggregate()));
        }
        if (copy.deliveries > 0) {
            headers.put("x-acquired-count", (long) copy.deliveries);
        }
        if (copy.failedDeliveries > 0) {
            headers.put("x-delivery-count", (long) copy.failedDeliveries);
        }
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(message.id().toString())
                .type("placed")
                .headers(headers)
                .build();
        Envelope envelope = new Envelope(tag, copy.deliveries > 0, "orders", "order.placed");
        return new Delivery(envelope, properties, new byte[message.bytes()]);
    }

    /** A connection, from both ends. */
    private final class Link implements InvocationHandler {

        private final Object process;
        private final List<ClientChannel> channels = new ArrayList<>();
        private boolean closed;
        private boolean known;

        Link(Object process) {
            this.process = process;
        }

        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object[] arguments) {
            switch (method.getName()) {
                case "createChannel" -> {
                    requireOpen();
                    ClientChannel channel = new ClientChannel(this);
                    channels.add(channel);
                    return proxy(Channel.class, channel);
                }
                case "abort" -> {
                    if (!closed && world.isAlive(process)) {
                        channels.forEach(ClientChannel::arriveAll);
                        end();
                        learn();
                    }
                    return null;
                }
                default -> throw new UnsupportedOperationException(method.getName());
            }
        }

        void requireOpen() {
            if (closed) {
                throw new AlreadyClosedException(shutdown());
            }
        }

        void lose() {
            world.noted("connection lost");
            for (ClientChannel channel : channels) {
                for (int i = world.draw(channel.sent.size() + 1); i > 0; i--) {
                    channel.sent.remove().run();
                }
                channel.sent.clear();
                for (int i = world.draw(channel.arriving.size() + 1); i > 0; i--) {
                    channel.arriving.removeLast();
                }
            }
            end();
        }

        private void end() {
            closed = true;
            channels.forEach(ClientChannel::end);
        }

        void learn() {
            if (!known) {
                known = true;
                channels.forEach(ClientChannel::learn);
            }
        }
    }

    /** A channel, from both ends. */
    private final class ClientChannel implements InvocationHandler {

        private final Link link;
        private final TreeMap<Long, Unacked> unacked = new TreeMap<>();
        private final Map<String, ConsumerShutdownSignalCallback> onShutdown = new LinkedHashMap<>();
        private final List<Subscriber> subscribers = new ArrayList<>();
        /** From the client to the broker. */
        private final Deque<Runnable> sent = new ArrayDeque<>();
        /** From the broker to the client. */
        private final Deque<Runnable> arriving = new ArrayDeque<>();

        private long lastTag;
        private int prefetch;
        private boolean closed;

        ClientChannel(Link link) {
            this.link = link;
        }

        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object[] arguments) throws IOException {
            if (!world.isAlive(link.process)) {
                throw new SimulatedWorld.Crash();
            }
            switch (method.getName()) {
                case "basicQos" -> {
                    ask();
                    prefetch = (int) arguments[0];
                }
                case "basicConsume" -> {
                    ask();
                    return consume(arguments);
                }
                case "basicCancel" -> {
                    ask();
                    cancel((String) arguments[0]);
                }
                case "basicAck" -> send(() -> acknowledge((long) arguments[0], (boolean) arguments[1]));
                case "basicReject" -> {
                    Unacked given = unacked.get((long) arguments[0]);
                    if (given != null) {
                        rejected.add(given.copy.message.id());
                    }
                    send(() -> reject((long) arguments[0]));
                }
                case "basicNack" ->
                    send(() -> {
                        takeBack(any -> true, countsNacks);
                        subscribers.forEach(each -> each.queue.send());
                    });
                case "close" -> {
                    ask();
                    arriving.clear();
                    end();
                }
                case "exchangeDeclare", "queueDeclare", "queueBind", "exchangeBind" -> {
                    // they are there
                }
                default -> throw new UnsupportedOperationException(method.getName());
            }
            return null;
        }

        private void send(Runnable frame) {
            world.meanwhileElsewhere();
            if (link.known || closed) {
                throw new AlreadyClosedException(shutdown());
            }
            if (!link.closed) {
                sent.add(frame);
            }
            world.meanwhileElsewhere();
        }

        /** Sends a request and waits for the answer: all that was sent before has arrived by then. */
        private void ask() throws IOException {
            world.meanwhileElsewhere();
            if (link.closed || closed) {
                throw new IOException("the connection is lost", shutdown());
            }
            arriveAll();
        }

        void arriveAll() {
            while (!sent.isEmpty()) {
                sent.remove().run();
            }
        }

        private String consume(Object[] arguments) {
            SimulatedQueue queue = queues.get((String) arguments[0]);
            Subscriber subscriber = new Subscriber(
                    queue, this, prefetch, (DeliverCallback) arguments[2], (CancelCallback) arguments[3]);
            onShutdown.put(subscriber.tag, (ConsumerShutdownSignalCallback) arguments[4]);
            subscribers.add(subscriber);
            queue.subscribers.add(subscriber);
            queue.send();
            return subscriber.tag;
        }

        private void cancel(String tag) {
            onShutdown.remove(tag);
            for (Subscriber each : subscribers) {
                if (each.tag.equals(tag)) {
                    each.queue.subscribers.remove(each);
                    each.queue.send();
                }
            }
        }

        private void acknowledge(long tag, boolean multiple) {
            for (long each : List.copyOf(multiple ? unacked.headMap(tag, true).keySet() : List.of(tag))) {
                Unacked settled = settle(each);
                if (settled != null && !isDone.test(settled.copy.message.id())) {
                    world.violated(settled.copy + " was acknowledged before it was done");
                }
            }
        }

        private void reject(long tag) {
            Unacked settled = settle(tag);
            if (settled != null) {
                deadLetters.add(settled.copy.message.id());
            }
        }

        private @Nullable Unacked settle(long tag) {
            Unacked settled = unacked.remove(tag);
            if (settled != null) {
                world.traced("settled: " + settled);
                settled.subscriber.inHand--;
                settled.subscriber.queue.send();
            }
            return settled;
        }

        /** What was delivered first comes back first. */
        private void takeBack(Predicate<Unacked> which, boolean failed) {
            for (long tag : List.copyOf(unacked.keySet())) {
                Unacked each = unacked.get(tag);
                if (which.test(each)) {
                    unacked.remove(tag);
                    world.traced("comes back: " + each);
                    each.subscriber.inHand--;
                    each.subscriber.queue.takeBack(each.copy, failed);
                }
            }
        }

        /** The broker's end. It takes everything back before another consumer becomes the active one. */
        void end() {
            closed = true;
            sent.clear();
            takeBack(any -> true, true);
            subscribers.forEach(each -> each.queue.subscribers.remove(each));
            subscribers.forEach(each -> each.queue.send());
            subscribers.clear();
        }

        void learn() {
            arriving.clear();
            onShutdown.forEach((tag, callback) -> callback.handleShutdownSignal(tag, shutdown()));
        }
    }
}
